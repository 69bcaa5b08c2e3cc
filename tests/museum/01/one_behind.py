# Is one line behind: answers each when the next one comes, and the last at the end.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        last = b""
        for line in lines:
            if last:
                conn.sendall(b"ECHO " + last)
            last = line
        if last:
            conn.sendall(b"ECHO " + last)
