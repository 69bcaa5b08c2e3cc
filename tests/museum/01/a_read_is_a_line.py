# Takes whatever one recv() brings for one line.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        while data := conn.recv(1024):
            conn.sendall(b"ECHO " + data)
