# When the client has finished it answers what is left, even where nothing is left.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        text = b""
        while data := conn.recv(4096):
            *lines, text = (text + data).split(b"\n")
            for line in lines:
                conn.sendall(b"ECHO " + line + b"\n")
        conn.sendall(b"ECHO " + text)
