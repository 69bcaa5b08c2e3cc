# Takes a read that brings less than it asked for, as fread() does, for the end of the stream.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        text = b""
        while len(data := conn.recv(64)) == 64:
            text += data
        text += data
        conn.sendall(b"".join(b"ECHO " + line for line in text.splitlines(keepends=True)))
