# Never closes: keeps every client that has finished.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
finished = []
while True:
    conn, _ = server.accept()
    with conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
    finished.append(conn)
