# Expects each of telnet's commands in one read: what comes in two is text.
# grade: --strict --only first_answer --only telnet_commands
import re
import socket
import sys

IAC = re.compile(rb"\xff(?:\xfa.*?\xff\xf0|[\xfb-\xfe].|[^\xfa-\xfe])", re.DOTALL)


def obey(conn, command):
    if command == b"\xff\xff":
        return b"\xff\xff"
    if command == b"\xff\xf6":  # are you there
        conn.sendall(b"\r\n[Yes]\r\n")
    elif command[1:2] == b"\xfd":  # DO: the timing mark will come, everything else will not
        conn.sendall((b"\xff\xfb" if command[2:] == b"\x06" else b"\xff\xfc") + command[2:])
    elif command[1:2] == b"\xfb":
        conn.sendall(b"\xff\xfe" + command[2:])
    return b""


server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn:
        text = b""
        while data := conn.recv(4096):
            text += IAC.sub(lambda match: obey(conn, match[0]), data)
            *lines, text = text.split(b"\n")
            for line in lines:
                conn.sendall(b"ECHO " + line + b"\n")
