# Waits with select() for a client that is ready, and then for the rest of its line.
import select
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
streams = {}
while True:
    for ready in select.select([server, *streams], [], [])[0]:
        if ready is server:
            conn, _ = server.accept()
            streams[conn] = conn.makefile("rb", buffering=0)
            continue
        try:
            line = streams[ready].readline()
            if line:
                ready.sendall(b"ECHO " + line)
        except OSError:
            line = b""
        if not line:
            streams.pop(ready).close()
            ready.close()
