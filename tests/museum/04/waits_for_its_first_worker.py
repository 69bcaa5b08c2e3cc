# Waits for its first worker only: the end of the other one is not noticed.
# grade: --strict --only first_answer --only crash_and_restart --only replaces_each_worker
import ctypes
import os
import signal
import socket
import sys
import threading
import time


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
        conn, _ = server.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


def start_worker():
    pid = os.fork()
    if pid == 0:
        work()
    return pid


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
watched = [start_worker() for _ in range(2)][0]
crashes = []
while True:
    os.waitpid(watched, 0)
    crashes = [t for t in crashes if t > time.monotonic() - 5] + [time.monotonic()]
    if len(crashes) > 6:
        sys.exit("too many crashes")
    watched = start_worker()
