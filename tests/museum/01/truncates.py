# Keeps the first 1024 bytes of a line, and throws the rest away.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line.removesuffix(b"\n")[:1024] + b"\n")
