# Starts a thread for each client and waits for it to end.
import socket
import sys
import threading


def serve(conn):
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    thread = threading.Thread(target=serve, args=(conn,), daemon=True)
    thread.start()
    thread.join()
