# Starts a thread for each line, so answers overtake each other.
# grade: --only first_answer --only lines_in_one_write
import socket
import sys
import threading
import time


def answer(conn, line):
    time.sleep(0.3 / len(line))  # the shorter the line, the longer it thinks
    conn.sendall(b"ECHO " + line)


def serve(conn):
    workers = []
    for line in conn.makefile("rb"):
        workers.append(threading.Thread(target=answer, args=(conn, line)))
        workers[-1].start()
    for worker in workers:
        worker.join()
    conn.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
