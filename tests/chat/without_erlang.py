#!/usr/bin/env python3
"""The chat that is built without FIVE_ERLANG says so where Erlang is asked for, and is a chat: without_erlang.py PROGRAMS"""

import pathlib
import socket
import subprocess
import sys

MOST_SECONDS = 20


def says_so(program, option, *words):
    ran = subprocess.run([program, *words, option[0], option[1]], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=MOST_SECONDS, check=False)
    assert ran.returncode in (1, 2) and ran.stdout == "", ran
    assert ran.stderr.count("\n") == 1 and option[0] in ran.stderr and "FIVE_ERLANG" in ran.stderr, ran


def serves_people(program):
    with subprocess.Popen([program, "--port", "0"], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = int(server.stdout.readline().rpartition(":")[2].strip())
            with socket.create_connection(("127.0.0.1", port), timeout=MOST_SECONDS) as person:
                person.sendall(b"Michael\nHello!\n")
                seen = b""
                while b"Hello!" not in seen:
                    got = person.recv(4096)
                    assert got, f"it closed the connection after {seen}"
                    seen += got
        finally:
            server.terminate()


if __name__ == "__main__":
    programs = pathlib.Path(sys.argv[1])
    says_so(programs / "05_chat", ("--sname", "room1@localhost"), "--port", "0")
    says_so(programs / "05_chat", ("--join", "chatroom@room1@localhost"), "--port", "0")
    says_so(programs / "chat_client", ("--room", "chatroom@room1@localhost"), "--name", "Michael")
    serves_people(programs / "05_chat")
