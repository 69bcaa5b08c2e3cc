# Holds a lock while it writes: a client that does not read stops everybody.
import socket
import sys
import threading


lock = threading.Lock()


def serve(conn):
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            with lock:
                conn.sendall(b"ECHO " + line)


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
