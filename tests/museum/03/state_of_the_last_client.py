# Keeps each client's half line under its descriptor's number, and leaves it to the next one who gets the number.
import select
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
epoll = select.epoll()
epoll.register(server, select.EPOLLIN)
clients = {}
texts = {}
while True:
    for number, _ in epoll.poll():
        if number == server.fileno():
            conn, _ = server.accept()
            epoll.register(conn, select.EPOLLIN)
            clients[conn.fileno()] = conn
            continue
        conn = clients[number]
        try:
            data = conn.recv(4096)
            *lines, texts[number] = (texts.get(number, b"") + data).split(b"\n")
            conn.sendall(b"".join(b"ECHO " + line + b"\n" for line in lines))
            if data:
                continue
            conn.sendall(b"ECHO " + texts[number] if texts[number] else b"")
        except OSError:
            pass
        conn.close()
