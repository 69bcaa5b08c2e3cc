# Says where it listens in a buffer that nobody flushes: whoever waits for that line waits for ever.
# grade: --strict --only first_answer --only says_where
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
out = open(1, "w")
out.write("Listening on 127.0.0.1:" + sys.argv[1] + "\n")
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
