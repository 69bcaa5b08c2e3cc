# Has four threads: the fifth client waits for ever.
import concurrent.futures
import socket
import sys


def serve(conn):
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)


pool = concurrent.futures.ThreadPoolExecutor(4)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    pool.submit(serve, conn)
