#!/usr/bin/env python3
# Wrong: it takes what one read brings for a line.
"""A chat client: client.py HOST PORT NAME"""

import os
import select
import socket
import sys

READ_SIZE = 4096


def talk(room, name):
    keyboard = sys.stdin.fileno()
    sources = [room, keyboard]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if room in ready:
            data = room.recv(READ_SIZE)
            if not data:
                return
            print(f"{name}'s client: {data.decode('utf-8', 'replace').rstrip()}", flush=True)
        if keyboard in ready:
            # Not sys.stdin.readline(): it would keep further lines in its own buffer, where select() cannot see them.
            typed = os.read(keyboard, READ_SIZE)
            if typed:
                room.sendall(typed)
            else:
                sources.remove(keyboard)
                room.shutdown(socket.SHUT_WR)


def main():
    host, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with socket.create_connection((host, port)) as room:
        room.sendall(f"{name}\n".encode())
        talk(room, name)


main()
