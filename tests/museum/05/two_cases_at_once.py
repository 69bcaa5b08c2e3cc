# Looks whether a name is taken in other letters, and takes it a moment later: Mikey and mikey who come at once both get it.
# grade: --strict --only own_words --only taken_name --only letter_case
import socket
import sys
import threading
import time

members = {}
lock = threading.Lock()


def tell(text):
    for member in list(members.values()):
        try:
            member.send(text.encode() + b"\n", socket.MSG_DONTWAIT)
        except OSError:
            pass  # gone, or too slow a reader for us


def serve(conn):
    name = None
    try:
        with conn.makefile("rb") as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip("\r\n")
                is_free = text.lower() not in {each.lower() for each in list(members)}
                if name is None:
                    time.sleep(0.01)  # as a question to a data base takes
                with lock:
                    if name:
                        tell(f"{name} says: {text}")
                    elif not is_free or text in members:
                        conn.sendall(b"The name is taken; another one?\n")
                    else:
                        tell(f"{text} has joined the room")
                        name, members[text] = text, conn
    except OSError:
        pass
    with lock:
        if members.pop(name, None):
            tell(f"{name} has left the room")
    conn.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
