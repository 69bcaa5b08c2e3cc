# Takes an empty line for the end of the stream.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        while line := lines.readline().rstrip(b"\n"):
            conn.sendall(b"ECHO " + line + b"\n")
