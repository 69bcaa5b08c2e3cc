# Never takes the answered lines out of its buffer: with each read they are answered again.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        text = b""
        while data := conn.recv(4096):
            text += data
            for line in text.split(b"\n")[:-1]:
                conn.sendall(b"ECHO " + line + b"\n")
