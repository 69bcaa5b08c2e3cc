# Asks who it is that has come with getpeername(), which throws where the client has left again.
import socket
import sys
import time

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    time.sleep(0.01)  # looks something up
    conn.getpeername()
    try:
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(b"ECHO " + line)
    except OSError:
        pass
