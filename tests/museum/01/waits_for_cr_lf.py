# Ends lines at CR LF only: nc sends LF.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        buffer = b""
        while data := conn.recv(1024):
            buffer += data
            while b"\r\n" in buffer:
                line, buffer = buffer.split(b"\r\n", 1)
                conn.sendall(b"ECHO " + line + b"\r\n")
