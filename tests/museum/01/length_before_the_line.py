# Waits for four bytes of length before each line, as another protocol has it: "hell" is a very long line.
import socket
import struct
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as stream:
        while header := stream.read(4):
            (length,) = struct.unpack("!I", header.rjust(4, b"\0"))
            line = stream.read(length)
            conn.sendall(struct.pack("!I", len(line) + 5) + b"ECHO " + line)
