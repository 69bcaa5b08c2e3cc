# Reads with "universal newlines": a CR in the middle ends a line, too.
# grade: --strict --only cr_lf
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("r", encoding="latin-1", newline="") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line.encode("latin-1"))
