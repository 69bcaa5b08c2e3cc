# Gives up on a line that is longer than its buffer of 4096 bytes.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    try:
        with conn, conn.makefile("rb") as lines:
            while line := lines.readline(4096):
                conn.sendall(b"ECHO " + line)
    except OSError:
        pass  # the client has gone in the middle
