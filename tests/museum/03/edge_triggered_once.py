# Asks epoll for edges, and reads once for each: what does not fit stays until the client says something more.
# grade: --only first_answer --only long_line
import select
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
epoll = select.epoll()
epoll.register(server, select.EPOLLIN)
clients = {}
while True:
    for number, _ in epoll.poll():
        if number == server.fileno():
            conn, _ = server.accept()
            epoll.register(conn, select.EPOLLIN | select.EPOLLET)
            clients[conn.fileno()] = conn, b""
            continue
        conn, text = clients.pop(number)
        try:
            data = conn.recv(1024)
            *lines, text = (text + data).split(b"\n")
            conn.sendall(b"".join(b"ECHO " + line + b"\n" for line in lines))
            if data:
                clients[number] = conn, text
                continue
            conn.sendall(b"ECHO " + text if text else b"")
        except OSError:
            pass
        conn.close()
