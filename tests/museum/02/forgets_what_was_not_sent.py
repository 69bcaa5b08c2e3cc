# Never blocks, and does not look how much of it send() has sent.
import selectors
import socket
import sys

selector = selectors.DefaultSelector()
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
selector.register(server, selectors.EVENT_READ)
buffers = {}


def serve(conn):
    data = conn.recv(65536)
    *lines, buffers[conn] = (buffers[conn] + data).split(b"\n")
    reply = b"".join(b"ECHO " + line + b"\n" for line in lines)
    if not data and buffers[conn]:
        reply += b"ECHO " + buffers[conn]
    try:
        conn.send(reply)
    except BlockingIOError:
        pass
    return data


while True:
    for key, _ in selector.select():
        conn = key.fileobj
        if conn is server:
            conn, _ = server.accept()
            conn.setblocking(False)
            buffers[conn] = b""
            selector.register(conn, selectors.EVENT_READ)
            continue
        try:
            goes_on = serve(conn)
        except OSError:
            goes_on = False
        if not goes_on:
            selector.unregister(conn)
            del buffers[conn]
            conn.close()
