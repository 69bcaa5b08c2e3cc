# Has fifty threads: the fifty-first client waits for ever.
import socket
import sys
from concurrent.futures import ThreadPoolExecutor


def serve(conn):
    try:
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(b"ECHO " + line)
    except OSError:
        pass


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
with ThreadPoolExecutor(50) as pool:
    while True:
        conn, _ = server.accept()
        pool.submit(serve, conn)
