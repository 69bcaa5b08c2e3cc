# Answers all that is owed after SIGTERM, and ends with an exit code that says it has failed.
# grade: --strict --only drain
import signal
import socket
import sys
import threading

connections = set()
sessions = []


def serve(conn):
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
        connections.discard(conn)


def stop(*_):
    raise InterruptedError


signal.signal(signal.SIGTERM, stop)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
try:
    while True:
        conn, _ = server.accept()
        connections.add(conn)
        sessions.append(threading.Thread(target=serve, args=(conn,), daemon=True))
        sessions[-1].start()
except InterruptedError:
    server.close()
for conn in connections.copy():
    conn.shutdown(socket.SHUT_RD)  # what has come is still read, and then the end
for session in sessions:
    session.join()
sys.exit(1)  # accept() has failed, has it not?
