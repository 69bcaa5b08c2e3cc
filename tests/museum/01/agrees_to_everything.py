# Agrees to every option that telnet asks for, and does none of them.
# grade: --strict --only first_answer --only telnet_options
import re
import socket
import sys

OPTION = re.compile(rb"\xff([\xfb\xfd])(.)", re.DOTALL)
YES = {b"\xfb": b"\xfd", b"\xfd": b"\xfb"}  # WILL is answered with DO, and DO with WILL


def agree(option):
    conn.sendall(b"\xff" + YES[option[1]] + option[2])
    return b""


server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        for line in lines:
            conn.sendall(b"ECHO " + OPTION.sub(agree, line))
