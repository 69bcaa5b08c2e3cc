# Closes when a line is too long, and does not say why.
# grade: --strict --only says_too_long
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
limit = 65536
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        while line := lines.readline(limit + 1):
            if len(line) > limit:
                break
            conn.sendall(b"ECHO " + line)
