# Splits text with str.splitlines(), for which a form feed, and some more, end a line.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            for part in line.decode("latin-1").splitlines():
                conn.sendall(b"ECHO " + part.encode("latin-1") + b"\n")
