# Answers a byte in a tenth of a second: right, but a thousand lines would take an hour.
# grade: --only first_answer --only pieces --time-limit 10
import socket
import sys
import time

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            for byte in b"ECHO " + line:
                conn.sendall(bytes([byte]))
                time.sleep(0.1)
