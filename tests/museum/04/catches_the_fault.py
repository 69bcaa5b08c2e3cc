# Catches the fault in the session, and nothing is ever started again: a supervisor of another kind, or none?
# grade: --required --crash !crash
import socket
import sys
import threading


def serve(conn):
    try:
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                if line == b"!crash\n":
                    raise RuntimeError("as you wish")
                conn.sendall(b"ECHO " + line)
    except (OSError, RuntimeError):
        pass


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
