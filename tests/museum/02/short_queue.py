# Has a queue of one, and needs a moment for each client before it accepts the next: who comes in a crowd waits for seconds.
# grade: --only first_answer --only burst
import socket
import sys
import threading
import time


def serve(conn):
    try:
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(b"ECHO " + line)
    except OSError:
        pass


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1)
while True:
    conn, _ = server.accept()
    time.sleep(0.02)  # looks up who it is, and writes it down
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
