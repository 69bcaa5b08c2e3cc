# Lets one client's ECONNRESET end the server.
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        buffer = b""
        while data := conn.recv(65536):
            buffer += data
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                conn.sendall(b"ECHO " + line + b"\n")
        if buffer:
            conn.sendall(b"ECHO " + buffer)
