# Shuts each connection down and never closes it, which is advice: after a thousand clients there are no descriptors left.
# grade: --only first_answer --only closes_what_it_opened
import socket
import sys
import threading

all_of_them = []  # "so that they are not lost"


def serve(conn):
    all_of_them.append(conn)
    for line in conn.makefile("rb"):
        conn.sendall(b"ECHO " + line)
    conn.shutdown(socket.SHUT_WR)


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
