# Its workers do not notice the end of the root, and hold the port.
# grade: --only no_orphans
import os
import socket
import sys
import threading


def serve(conn):
    try:
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(b"ECHO " + line)
    except OSError:
        pass


def work():
    while True:
        conn, _ = server.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


def start_worker():
    pid = os.fork()
    if pid == 0:
        work()
    return pid


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
for _ in range(2):
    start_worker()
while True:
    os.wait()
    start_worker()
