# Is off by one at its limit: counts the line feed, too, so a line of 65536 bytes is too long for it.
# grade: --strict --only long_line --only line_at_limit
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        while line := lines.readline(65537):
            if len(line) > 65536:
                conn.sendall(b"ERROR too long\n")
                break
            conn.sendall(b"ECHO " + line)
