# At SIGTERM it waits until the last client has left by itself.
# grade: --strict --only drain
import signal
import socket
import sys
import threading


def serve(conn):
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)


def stop(*_):
    server.close()
    for thread in threads:
        thread.join()
    sys.exit(0)


threads = []
signal.signal(signal.SIGTERM, stop)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threads.append(threading.Thread(target=serve, args=(conn,), daemon=True))
    threads[-1].start()
