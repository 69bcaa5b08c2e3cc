# Answers the first line of each read and forgets what came behind it.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        buffer = b""
        while data := conn.recv(1024):
            buffer += data
            if b"\n" in buffer:
                line = buffer[: buffer.index(b"\n") + 1]
                conn.sendall(b"ECHO " + line)
                buffer = b""
