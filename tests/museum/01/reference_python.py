# A reference: one client at a time, in Python.
# grade: --required
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        try:
            for line in lines:
                conn.sendall(b"ECHO " + line)
        except OSError:
            pass
