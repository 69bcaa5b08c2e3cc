# Goes to the background, where nobody can watch or signal it.
import os
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if os.fork() > 0:
    os._exit(0)
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
