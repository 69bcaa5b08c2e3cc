# Closes a client in vain when accept() fails once: the rest wait, and nobody is served any more.
# grade: --only first_answer --only hundred_idle
import resource
import socket
import sys
import threading


def serve(conn):
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)


resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
try:
    while True:
        conn, _ = server.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()
except OSError:
    threading.Event().wait()
