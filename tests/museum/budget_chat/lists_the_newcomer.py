# Adds the newcomer first and tells everybody then: newcomers hear of their own coming.
import re
import socket
import sys
import threading

members = {}
lock = threading.Lock()


def tell(text, but):
    for name, member in members.items():
        if name != but:
            member.sendall(text.encode() + b"\n")


def serve(conn):
    conn.sendall(b"Welcome! What is your name?\n")
    with conn, conn.makefile("rb") as lines:
        name = lines.readline().decode(errors="replace").rstrip("\r\n")
        if not re.fullmatch("[a-zA-Z0-9]{1,32}", name) or name in members:
            return
        with lock:
            conn.sendall(("* Here are: " + ", ".join(members) + "\n").encode())
            members[name] = conn
            tell(f"* {name} has come", but=None)
        try:
            for line in lines:
                with lock:
                    tell(f"[{name}] " + line.decode(errors="replace").rstrip("\r\n"), but=name)
        finally:
            with lock:
                del members[name]
                tell(f"* {name} has gone", but=name)


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
