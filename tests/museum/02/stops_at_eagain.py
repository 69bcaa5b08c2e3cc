# Never blocks, keeps what send() has not taken, and forgets to ask when it may go on.
import selectors
import socket
import sys

selector = selectors.DefaultSelector()
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
selector.register(server, selectors.EVENT_READ)
unfinished, unsent = {}, {}


def serve(conn):
    data = conn.recv(65536)
    *lines, unfinished[conn] = (unfinished[conn] + data).split(b"\n")
    unsent[conn] += b"".join(b"ECHO " + line + b"\n" for line in lines)
    if not data and unfinished[conn]:
        unsent[conn] += b"ECHO " + unfinished[conn]
    try:
        unsent[conn] = unsent[conn][conn.send(unsent[conn]):]
    except BlockingIOError:
        selector.unregister(conn)  # until it has been sent, nothing more is read
    return data


while True:
    for key, _ in selector.select():
        conn = key.fileobj
        if conn is server:
            conn, _ = server.accept()
            conn.setblocking(False)
            unfinished[conn], unsent[conn] = b"", b""
            selector.register(conn, selectors.EVENT_READ)
            continue
        try:
            goes_on = serve(conn)
        except OSError:
            goes_on = False
        if not goes_on:
            selector.unregister(conn)
            del unfinished[conn], unsent[conn]
            conn.close()
