# Keeps everything for a member who reads nothing, without a bound, which is advice.
# grade: --only says --only bounded_queue
import queue
import socket
import sys
import threading

members = {}
lock = threading.Lock()


def tell(text):
    for member in list(members.values()):
        member.put(text.encode() + b"\n")


def send(conn, waiting):
    try:
        while True:
            conn.sendall(waiting.get())
    except OSError:
        pass


def serve(conn):
    name, waiting = None, queue.SimpleQueue()
    threading.Thread(target=send, args=(conn, waiting), daemon=True).start()
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
                        name, members[text] = text, waiting
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
