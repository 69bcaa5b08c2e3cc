# Adds a line feed to a last line that had none, which is advice.
# grade: --only unfinished_line --only last_line_as_it_was
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line.rstrip(b"\n") + b"\n")
