# Takes the first read for the name, whatever else came with it.
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
        time.sleep(0.02)  # as a greeting from a data base takes: a quick client's next line is there by then
        while name is None and (data := conn.recv(1024)):
            text = data.decode(errors="replace").rstrip("\r\n")
            with lock:
                if text in members:
                    conn.sendall(b"The name is taken; another one?\n")
                else:
                    tell(f"{text} has joined the room")
                    name, members[text] = text, conn
        with conn.makefile("rb") as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip("\r\n")
                with lock:
                    tell(f"{name} says: {text}")
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
