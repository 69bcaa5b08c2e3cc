# Nobody catches what writing to a member who has gone throws: the speaker's session ends of it.
# grade: --only goes_on_without
import socket
import sys
import threading

members = {}
lock = threading.Lock()


def tell(text):
    for member in list(members.values()):
        member.sendall(text.encode() + b"\n")


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
    conn.close()  # and the room still has this member


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
