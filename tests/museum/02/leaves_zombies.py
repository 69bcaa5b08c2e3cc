# Forks a process for each client, and never waits for one: what has ended stays in the list of processes.
# grade: --strict --only first_answer --only closes_what_it_opened --only leaves_nothing_behind
import os
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    with conn:
        if os.fork() == 0:
            with conn.makefile("rb") as lines:
                for line in lines:
                    conn.sendall(b"ECHO " + line)
            os._exit(0)
