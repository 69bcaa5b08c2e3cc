# Forks a process for each client, which forgets to end: it goes back to accept(), and is one more server.
# grade: --only first_answer --only closes_what_it_opened
import os
import signal
import socket
import sys

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    with conn:
        if os.fork() == 0:
            with conn.makefile("rb") as lines:
                for line in lines:
                    conn.sendall(b"ECHO " + line)
