# Is off by one at its buffer's edge: the line whose line feed is the last byte that fits is lost.
import socket
import sys

SIZE = 32

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    try:
        with conn:
            text = b""
            while data := conn.recv(SIZE):
                *lines, text = (text + data).split(b"\n")
                if data.endswith(b"\n") and len(data) == SIZE:
                    lines.pop()
                for line in lines:
                    conn.sendall(b"ECHO " + line + b"\n")
    except OSError:
        pass  # the client has gone in the middle
