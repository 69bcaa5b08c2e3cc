# Keeps the last byte of its buffer for a NUL, as C has it, and reads one byte more than fits.
# grade: --only first_answer --only long_line
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        text = b""
        while data := conn.recv(4096):
            text += data[:4095]
            *lines, text = text.split(b"\n")
            for line in lines:
                conn.sendall(b"ECHO " + line + b"\n")
