# Forks a process for each client; the parent keeps its own copy of the connection, so it never ends.
import os
import signal
import socket
import sys

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
kept = []
while True:
    conn, _ = server.accept()
    kept.append(conn)
    if os.fork() == 0:
        with conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(b"ECHO " + line)
        os._exit(0)
