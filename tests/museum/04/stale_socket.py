# The root keeps the listening socket of a worker that has gone: some of the next clients wait there for ever.
# grade: --only crash_and_restart
import ctypes
import os
import signal
import socket
import sys
import threading
import time

sockets = []


def serve(conn):
    try:
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(b"ECHO " + line)
    except OSError:
        pass


def work():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: no worker outlives the root
    while True:
        conn, _ = sockets[-1].accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


def start_worker():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen(1024)
    sockets.append(server)
    pid = os.fork()
    if pid == 0:
        work()
    return pid


for _ in range(2):
    start_worker()
crashes = []
while True:
    os.wait()
    crashes = [t for t in crashes if t > time.monotonic() - 5] + [time.monotonic()]
    if len(crashes) > 6:
        sys.exit("too many crashes")
    start_worker()
