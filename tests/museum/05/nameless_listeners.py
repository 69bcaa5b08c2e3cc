# Tells what is said to everybody who is connected, with a name or without.
import socket
import sys
import threading

members = {}
connected = set()
lock = threading.Lock()


def tell(text, everybody=()):
    for member in [*members.values(), *everybody]:
        try:
            member.send(text.encode() + b"\n", socket.MSG_DONTWAIT)
        except OSError:
            pass  # gone, or too slow a reader for us


def serve(conn):
    name = None
    connected.add(conn)
    try:
        with conn.makefile("rb") as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip("\r\n")
                with lock:
                    if name:
                        tell(f"{name} says: {text}", connected.copy())
                    elif text in members:
                        conn.sendall(b"The name is taken; another one?\n")
                    else:
                        tell(f"{text} has joined the room")
                        name, members[text] = text, conn
                        connected.discard(conn)
    except OSError:
        pass
    with lock:
        connected.discard(conn)
        if members.pop(name, None):
            tell(f"{name} has left the room")
    conn.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
