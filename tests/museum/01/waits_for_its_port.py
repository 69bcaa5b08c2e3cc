# Tries to get its port again and again, where it is taken, and says nothing.
# grade: --strict --only first_answer --only taken_port
import socket
import sys
import time

server = None
while not server:
    try:
        server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    except OSError:
        time.sleep(1)
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
