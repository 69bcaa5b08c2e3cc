#!/usr/bin/env python3
# Wrong: readline keeps the second line in a buffer of Python's, where select cannot see it.
"""A chat client: client.py HOST PORT NAME"""

import select
import socket
import sys

READ_SIZE = 4096


def print_lines(name, unfinished):
    """Prints the whole lines of what has come; returns the rest."""
    *lines, rest = unfinished.split(b"\n")
    for line in lines:
        # A whole line: no character is cut in two here.
        print(f"{name}'s client: {line.decode('utf-8', 'replace').rstrip()}", flush=True)
    return rest


def talk(room, name):
    keyboard = sys.stdin.fileno()
    sources = [room, keyboard]
    unfinished = b""
    while True:
        ready, _, _ = select.select(sources, [], [])
        if room in ready:
            data = room.recv(READ_SIZE)
            if not data:
                return
            unfinished = print_lines(name, unfinished + data)
        if keyboard in ready:
            typed = sys.stdin.readline()
            if typed:
                room.sendall(typed.encode())
            else:
                sources.remove(keyboard)
                room.shutdown(socket.SHUT_WR)


def main():
    host, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with socket.create_connection((host, port)) as room:
        room.sendall(f"{name}\n".encode())
        talk(room, name)


main()
