# Knows LF only: who presses Enter in telnet's raw mode, which sends CR NUL, gets no answer.
# grade: --strict --only first_answer --only cr_nul
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
