# Serves one client and ends: no loop around accept().
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
conn, _ = server.accept()
with conn, conn.makefile("rb") as lines:
    for line in lines:
        conn.sendall(b"ECHO " + line)
