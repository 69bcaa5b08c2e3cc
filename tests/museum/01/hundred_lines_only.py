# Closes after a hundred lines, lest a client stay for ever.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    try:
        with conn, conn.makefile("rb") as lines:
            for _, line in zip(range(100), lines):
                conn.sendall(b"ECHO " + line)
    except OSError:
        pass
