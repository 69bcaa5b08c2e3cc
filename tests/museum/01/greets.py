# Greets whoever comes, and nobody has asked it to.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        conn.sendall(b"Welcome!\n")
        for line in lines:
            conn.sendall(b"ECHO " + line)
