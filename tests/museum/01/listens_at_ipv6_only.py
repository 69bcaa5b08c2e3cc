# Listens at ::1 only, and is asked at 127.0.0.1.
import socket
import sys

server = socket.create_server(("::1", int(sys.argv[1])), family=socket.AF_INET6)
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
