# Answers one line and closes: no loop around recv().
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        line = lines.readline()
        if line:
            conn.sendall(b"ECHO " + line)
