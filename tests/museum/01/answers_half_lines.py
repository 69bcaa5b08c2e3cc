# Splits each read into lines and answers the unfinished one, too.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        while data := conn.recv(1024):
            for line in data.splitlines(keepends=True):
                conn.sendall(b"ECHO " + line)
