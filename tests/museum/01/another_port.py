# Listens at a port of its own choice, and not at the one that it is given.
# grade: --start-limit 600
import socket

server = socket.create_server(("127.0.0.1", 0))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
