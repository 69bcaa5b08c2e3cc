# Says with exit code 0 that all is well, where its port is taken.
# grade: --strict --only first_answer --only says_where --only taken_port
import socket
import sys

try:
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
except OSError as error:
    print(error)
    sys.exit()
print("Listening on 127.0.0.1:" + sys.argv[1], flush=True)
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + line)
