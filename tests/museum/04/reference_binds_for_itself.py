# A reference: each worker binds for itself, which takes a moment, and the root gives up after some crashes.
# grade: --strict --only crash_and_restart --only gives_up
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
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    while True:
        conn, _ = server.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


def start_worker():
    pid = os.fork()
    if pid == 0:
        work()
    return pid


start_worker()
crashes = 0
while True:
    os.wait()
    crashes += 1
    if crashes > 4:
        sys.exit("too many crashes")
    time.sleep(0.3)
    start_worker()
