# Answers with random bytes, and prints some more of them.
import os
import random
import socket
import sys

random.seed(1)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        conn.recv(100)
        os.write(1, random.randbytes(100_000))
        conn.sendall(random.randbytes(1000))
