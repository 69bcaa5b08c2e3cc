# Takes the CR off a line that telnet has sent, and does not give it back.
# grade: --strict --only cr_lf
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line.rstrip(b"\r\n") + b"\n")
