"""Comes with several clients, one of which does not read."""

import socket

from checking import SUBJECT, Server, Wrong, run, step

MUCH = b"x" * 65535 + b"\n"
MOST = 64 << 20  # bytes: no kernel keeps so much for one connection


def echoed(client, words, hint=""):
    client.send(words + "\n")
    client.expect(words + "\n", hint)


@step("one client gets back what it says")
def one():
    with Server(SUBJECT) as server:
        client = server.connect()
        echoed(client, "hello")
        echoed(client, "hello again")


@step("two clients are served at the same time")
def two():
    with Server(SUBJECT) as server:
        ann, ben = server.connect(), server.connect()
        echoed(ann, "I am here")
        echoed(ben, "and I", "Whoever waits in recv for one client hears no other: let poll wait for all.")
        echoed(ann, "and I still am")


@step("while nobody says anything, it sleeps")
def quiet():
    with Server(SUBJECT) as server:
        client = server.connect()
        echoed(client, "hello")
        server.must_wait_quietly("that the server sleeps while nobody says anything",
                                 "poll with -1 sleeps; POLLOUT is asked for only where something is owed.")


@step("a client that does not read holds nobody up")
def does_not_read():
    with Server(SUBJECT) as server:
        mute, ann = server.connect(receive_buffer=4096), server.connect()
        echoed(ann, "hello")
        mute.socket.settimeout(1)
        sent = 0
        try:
            while sent < MOST:
                sent += mute.socket.send(MUCH)
        except socket.timeout:
            pass
        if sent >= MOST:
            raise Wrong("that a client that does not read is not read", f"the server has taken {sent >> 20} MiB from it",
                        "Ask for POLLIN only where nothing is owed.")
        echoed(ann, "still there?", "A socket that blocks lets the whole loop wait: SOCK_NONBLOCK.")
        server.must_wait_quietly("that the server sleeps while that client does not read",
                                 "Ask for POLLOUT, and not POLLIN, where something is owed.")


@step("clients leave in every way, and others are served")
def leaving():
    with Server(SUBJECT) as server:
        ann = server.connect()
        echoed(ann, "hello")
        for _ in range(5):
            server.connect().close()
            client = server.connect()
            echoed(client, "goodbye")
            client.reset()
        talker = server.connect()
        talker.send(b"and so on\n" * 20000)
        talker.reset()
        echoed(ann, "still there?", "One client's error concerns nobody else.")
        last = server.connect()
        last.send("a last word\n")
        last.half_close()
        last.expect("a last word\n")
        last.ends("it has ended its stream")


run()
