# Collects a line without a limit, as long as there is memory.
# grade: --strict --only endless_line
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    try:
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(b"ECHO " + line)
    except OSError:
        pass
