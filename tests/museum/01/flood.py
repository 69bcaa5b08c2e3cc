# Answers with a flood that never ends.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        try:
            while True:
                conn.sendall(b"ECHO flood\n" * 1000)
        except OSError:
            pass
