# Hangs in an endless loop when the first line comes.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    conn.recv(100)
    while True:
        pass
