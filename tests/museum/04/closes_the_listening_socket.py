# The root closes the listening socket as soon as its workers have it: those that come later have none.
# grade: --only crash_and_restart
import ctypes
import os
import signal
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
for _ in range(2):
    start_worker()
server.close()
for _ in range(20):
    os.wait()
    start_worker()
sys.exit("too many crashes")
