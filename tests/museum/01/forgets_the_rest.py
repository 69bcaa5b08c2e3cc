# Splits each read into lines and forgets the unfinished one at its end.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        while data := conn.recv(1024):
            for line in data.split(b"\n")[:-1]:
                conn.sendall(b"ECHO " + line + b"\n")
