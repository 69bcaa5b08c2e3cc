# Reads Latin-1 and writes UTF-8: every byte from 128 on becomes two.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("r", encoding="latin-1", newline="\n") as lines:
        for line in lines:
            conn.sendall(f"ECHO {line}".encode())
