# One client's error closes everybody's connection.
# grade: --only first_answer --only slow_reader
import socket
import sys
import threading

everybody = []


def serve(conn):
    try:
        with conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(b"ECHO " + line)
        conn.close()
    except OSError:
        for other in everybody:
            try:
                other.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # has gone before


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    everybody.append(conn)
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
