# The root serves clients beside its workers: when it crashes, nobody restarts it.
# grade: --strict --only first_answer --only crash_and_restart --only root_serves_nobody
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


def accept_for_ever():
    while True:
        conn, _ = server.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


def work():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: no worker outlives the root
    accept_for_ever()


def start_worker():
    pid = os.fork()
    if pid == 0:
        work()
    return pid


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
for _ in range(2):
    start_worker()
threading.Thread(target=accept_for_ever, daemon=True).start()
crashes = []
while True:
    os.wait()
    crashes = [t for t in crashes if t > time.monotonic() - 5] + [time.monotonic()]
    if len(crashes) > 6:
        sys.exit("too many crashes")
    start_worker()
