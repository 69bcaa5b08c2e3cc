#!/usr/bin/env python3
"""A chat client: client.py HOST PORT NAME"""

import socket
import sys


def main():
    host, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with socket.create_connection((host, port)) as room:
        room.sendall(f"{name}\n".encode())
        # Here: while this waits for the keyboard, it hears nothing of the room.
        for typed in sys.stdin:
            room.sendall(typed.encode())
            heard = room.recv(4096).decode()
            print(f"{name}'s client: {heard.rstrip()}", flush=True)


main()
