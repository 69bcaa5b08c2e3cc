"""Says nothing, says little, and goes early."""

import os
import time

from checking import SUBJECT, Server, Wrong, run, step

IDLE = 0.8  # seconds
ATTEMPTS = 3  # a machine that is very busy may keep even a talker from talking
GENEROUS = 5.0  # for a server on a busy machine to close what it should close after 2 * IDLE, or at once
PASSERS_BY = 40


def server_with_timeout():
    return Server(SUBJECT, arguments=("0", f"{IDLE * 1000:.0f}"))


def served(server):
    client = server.connect()
    client.send("hello\n")
    client.expect("ECHO hello\n")
    return client


@step("a client that says nothing is closed, but not too early")
def silent():
    with server_with_timeout() as server:
        began = time.monotonic()
        client = server.connect()
        client.ends("nothing has moved for 800 ms", GENEROUS, "A second coroutine for each client is to look at the clock.")
        if time.monotonic() - began < IDLE * 0.9:
            raise Wrong("that a silent client has 800 ms", f"it was closed after {time.monotonic() - began:.3f} s")
        served(server).ends("it has said hello, and nothing more for 800 ms", GENEROUS)


@step("a client that says something in time stays")
def talking():
    for attempt in range(ATTEMPTS):
        try:
            with server_with_timeout() as server:
                client = server.connect()
                until = time.monotonic() + 3 * IDLE
                while time.monotonic() < until:
                    client.send("x\n")
                    client.expect("ECHO x\n", "It says something ten times in 800 ms, and is not idle.")
                    time.sleep(IDLE / 10)
            return
        except Wrong:
            if attempt + 1 == ATTEMPTS:
                raise


@step("one who is closed concerns nobody else")
def others():
    with server_with_timeout() as server:
        silent_one = server.connect()
        for _ in range(PASSERS_BY):
            served(server).close()
        silent_one.ends("nothing has moved for 800 ms", GENEROUS)
        served(server)


@step("sessions that end by themselves leave nothing behind")
def leaving():
    with Server(SUBJECT, arguments=("0", "60000")) as server:
        served(server)
        descriptors = f"/proc/{server.process.pid}/fd"
        before = len(os.listdir(descriptors))
        for _ in range(20):
            served(server).close()
        until = time.monotonic() + GENEROUS
        while len(os.listdir(descriptors)) > before and time.monotonic() < until:
            time.sleep(0.02)
        left = len(os.listdir(descriptors)) - before
        if left > 0:
            raise Wrong("that all connections are closed when their clients have gone",
                        f"{left} are still open", "Does the watcher still wait, and hold the session?")


@step("while a client is silent, nobody uses the processor")
def quietly():
    with Server(SUBJECT, arguments=("0", "60000")) as server:
        clients = [served(server) for _ in range(20)]
        server.must_wait_quietly(f"that the server waits quietly, with {len(clients)} clients that say nothing",
                                 "One wait of `idle` for each look is enough: the timer wakes the watcher.")


run()
