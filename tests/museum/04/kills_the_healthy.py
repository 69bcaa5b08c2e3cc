# Where one worker crashes, the root kills the other one, too, which is advice: all clients lose their connections.
# grade: --only first_answer --only spares_neighbours
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
workers = [start_worker() for _ in range(2)]
crashes = []
while True:
    os.wait()
    for pid in workers:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except OSError:
            pass  # the one that has crashed
    crashes = [t for t in crashes if t > time.monotonic() - 5] + [time.monotonic()]
    if len(crashes) > 6:
        sys.exit("too many crashes")
    workers = [start_worker() for _ in range(2)]
