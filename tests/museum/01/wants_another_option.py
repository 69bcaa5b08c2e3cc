# Wants its port as "-p PORT", and says so.
import socket
import sys

if len(sys.argv) != 3 or sys.argv[1] != "-p":
    print("usage: server -p PORT", file=sys.stderr)
    sys.exit(2)
server = socket.create_server(("127.0.0.1", int(sys.argv[2])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
