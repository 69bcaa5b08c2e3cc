# Takes EPOLLRDHUP, which says that the client has finished, for "has gone": what it has sent is not even read.
# grade: --only first_answer --only answers_that_wait
import select
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
epoll = select.epoll()
epoll.register(server, select.EPOLLIN)
clients = {}
while True:
    for number, events in epoll.poll():
        if number == server.fileno():
            conn, _ = server.accept()
            epoll.register(conn, select.EPOLLIN | select.EPOLLRDHUP)
            clients[conn.fileno()] = conn, b""
            continue
        conn, text = clients.pop(number)
        if events & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR):
            conn.close()
            continue
        *lines, text = (text + conn.recv(4096)).split(b"\n")
        conn.sendall(b"".join(b"ECHO " + line + b"\n" for line in lines))
        clients[number] = conn, text
