# Watches its clients with select(2), which cannot count further than 1023 descriptors.
# grade: --only second_client --only thousand_idle
import select
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
unfinished = {}
while True:
    for ready in select.select([server, *unfinished], [], [])[0]:
        if ready is server:
            conn, _ = server.accept()
            unfinished[conn] = b""
            continue
        data = ready.recv(65536)
        if not data:
            del unfinished[ready]
            ready.close()
            continue
        *lines, unfinished[ready] = (unfinished[ready] + data).split(b"\n")
        ready.sendall(b"".join(b"ECHO " + line + b"\n" for line in lines))
