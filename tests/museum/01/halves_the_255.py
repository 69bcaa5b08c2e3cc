# Knows that two bytes 255 mean one, and forgets to double it on the way back.
# grade: --strict --only first_answer --only telnet_commands
import re
import socket
import sys

IAC = re.compile(rb"\xff(?:\xfa.*?\xff\xf0|[\xfb-\xfe].|[^\xfa-\xfe])", re.DOTALL)

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        text = b""
        while data := conn.recv(4096):
            text = IAC.sub(lambda match: match[0][1:] if match[0] == b"\xff\xff" else b"", text + data)
            *lines, text = text.split(b"\n")
            for line in lines:
                conn.sendall(b"ECHO " + line + b"\n")
