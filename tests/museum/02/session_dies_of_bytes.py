# Takes all bytes for UTF-8: those that are not end the session, though not the server.
import socket
import sys
import threading


def serve(conn):
    try:
        with conn, conn.makefile("r", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                conn.sendall(f"ECHO {line}".encode())
    except (OSError, UnicodeError):
        pass


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
