# Takes backslashes in a line for escapes.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line.replace(b"\\t", b"\t").replace(b"\\n", b"\n"))
