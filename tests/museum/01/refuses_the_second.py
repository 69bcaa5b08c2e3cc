# Listens only while it serves nobody: the second client is refused instead of waiting.
# grade: --only second_client_waits
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    server.close()
    with conn, conn.makefile("rb") as lines:
        try:
            for line in lines:
                conn.sendall(b"ECHO " + line)
        except OSError:
            pass
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
