# Sees telnet's CR LF, takes the LF off, and sends CR LF back: the CR comes twice.
# grade: --strict --only cr_lf
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            end = b"\r\n" if line.endswith(b"\r\n") else b"\n"
            conn.sendall(b"ECHO " + line.removesuffix(b"\n") + end)
