# Closes the connection, and waits for the next thing to do, which never comes: each client leaves a thread.
# grade: --strict --only first_answer --only closes_what_it_opened --only leaves_nothing_behind
import queue
import socket
import sys
import threading


def serve(conn):
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
    queue.Queue().get()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
