"""Sends datagrams, and wants them back."""

import socket

from checking import DEADLINE, SUBJECT, Server, Wrong, run, step, visible


def back(person, server, data, hint=""):
    """Sends one datagram and wants it back. On loopback none is lost as long as they come one by one."""
    person.settimeout(DEADLINE)
    person.sendto(data, ("127.0.0.1", server.port))
    try:
        got, sender = person.recvfrom(70000)
    except TimeoutError as error:
        server.must_run(hint)
        raise Wrong(f"the datagram {visible(data, 40)} back", f"nothing within {DEADLINE:.0f} s", hint) from error
    if got != data:
        what = visible(got, 40) if len(got) == len(data) else f"{len(got)} bytes"
        raise Wrong(f"the datagram back: {visible(data, 40)}, {len(data)} bytes", what, hint)
    if sender != ("127.0.0.1", server.port):
        raise Wrong(f"an answer from port {server.port}", f"one from {sender[1]}")


def client():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


@step("a datagram comes back")
def one():
    with Server(SUBJECT) as server:
        back(client(), server, b"hello", "send_to(buffer, sender)")


@step("everybody gets their own, by turns")
def several():
    with Server(SUBJECT) as server:
        people = [client() for _ in range(3)]
        for turn in range(3):
            for number, person in enumerate(people):
                back(person, server, f"turn {turn} of {number}".encode())


@step("a shorter one after a longer one")
def shorter():
    with Server(SUBJECT) as server:
        person = client()
        back(person, server, b"a longer one")
        back(person, server, b"short", "Send as many bytes as receive_from said, not the whole buffer.")


@step("an empty one")
def empty():
    with Server(SUBJECT) as server:
        back(client(), server, b"", "Of a stream, 0 bytes are the end; of datagrams, an empty one.")


@step("the largest: 65507 bytes")
def largest():
    with Server(SUBJECT) as server:
        person = client()
        back(person, server, bytes(range(256)) * 2, "Is the buffer large enough?")
        back(person, server, b"x" * 65507, "What does not fit into the buffer is lost.")


@step("somebody who has gone before the answer")
def gone():
    with Server(SUBJECT) as server:
        for _ in range(20):
            person = client()
            person.sendto(b"goodbye", ("127.0.0.1", server.port))
            person.close()
        back(client(), server, b"still there?", "One datagram's error must not end the server.")
        server.must_wait_quietly("that the server waits quietly for the next datagram", "receive_from waits.")


run()
