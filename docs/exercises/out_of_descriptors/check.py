"""Takes all descriptors that the server may have, and gives them back."""

import time

from checking import SUBJECT, Server, Wrong, run, step

MOST_FILES = 24
CLIENTS = 40  # more than that
WATCHED = 1.5  # seconds
MOST_CPU = 0.05  # seconds: ten tries a second take a thousandth; without a pause they take all that there is


@step("more clients come than there are descriptors: the first ones stay served, and nobody is lost")
def shortage():
    with Server(SUBJECT, most_files=MOST_FILES) as server:
        first = server.connect()
        first.send("hello\n")
        first.expect("ECHO hello\n")
        crowd = [server.connect() for _ in range(CLIENTS)]
        for number, client in enumerate(crowd):
            client.send(f"I am {number}\n")
        crowd[0].expect("ECHO I am 0\n")
        before, then = server.cpu_seconds(), time.monotonic()
        time.sleep(WATCHED)
        server.must_run("accept fails with EMFILE, and that is no reason to end.")
        used, watched = server.cpu_seconds() - before, time.monotonic() - then
        if used > MOST_CPU:
            raise Wrong("that the server waits quietly while it has no descriptors",
                        f"it used the processor for {used:.2f} of {watched:.2f} s",
                        "Who tries again at once tries a million times. Wait a little first.")
        first.send("still there?\n")
        first.expect("ECHO still there?\n", "A shortage concerns newcomers; who is in stays in.")
        for client in crowd[:CLIENTS // 2]:
            client.close()
        for number, client in enumerate(crowd[CLIENTS // 2:], CLIENTS // 2):
            client.expect(f"ECHO I am {number}\n", "Descriptors are free again: accept who waits in the backlog.")
            client.close()


@step("and again: the second shortage is no worse than the first")
def again():
    with Server(SUBJECT, most_files=MOST_FILES) as server:
        for _ in range(2):
            crowd = [server.connect() for _ in range(CLIENTS)]
            for client in crowd:
                client.send("hello\n")
            for client in crowd:
                client.expect("ECHO hello\n")
                client.close()
            server.must_run()


run()
