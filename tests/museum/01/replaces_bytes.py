# Decodes and encodes: what is not UTF-8 becomes a replacement character.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(("ECHO " + line.decode(errors="replace")).encode())
