# All sessions share one buffer.
import socket
import sys
import threading


buffer = b""


def serve(conn):
    global buffer
    with conn:
        while data := conn.recv(4096):
            buffer += data
            while b"\n" in buffer:
                line, buffer = buffer.split(b"\n", 1)
                conn.sendall(b"ECHO " + line + b"\n")
        if buffer:
            conn.sendall(b"ECHO " + buffer)
            buffer = b""


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
