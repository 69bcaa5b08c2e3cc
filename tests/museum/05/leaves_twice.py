# Tells that somebody has left where reading ends, and where writing to them fails: twice, if both happen.
# grade: --strict --only own_words --only leaves
import socket
import sys
import threading

members = {}
lock = threading.Lock()


def tell(text):
    for name, member in list(members.items()):
        try:
            member.send(text.encode() + b"\n", socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass  # too slow a reader for us
        except OSError:
            if members.pop(name, None):
                tell(f"{name} has left the room")


def serve(conn):
    name = None
    try:
        with conn.makefile("rb") as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip("\r\n")
                with lock:
                    if name:
                        tell(f"{name} says: {text}")
                    elif text in members:
                        conn.sendall(b"The name is taken; another one?\n")
                    else:
                        tell(f"{text} has joined the room")
                        name, members[text] = text, conn
    except OSError:
        pass
    with lock:
        if name:
            tell(f"{name} has left the room")
            if members.get(name) is conn:
                del members[name]
    conn.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
