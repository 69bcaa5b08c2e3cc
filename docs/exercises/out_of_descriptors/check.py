"""Takes all descriptors that the server may have, and gives them back."""

import time

from checking import PAUSE, SUBJECT, Server, run, step

MOST_FILES = 24
CLIENTS = 40  # more than that


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
        time.sleep(PAUSE)
        server.must_run("accept fails with EMFILE, and that is no reason to end.")
        server.must_wait_quietly("that the server waits quietly while it has no descriptors",
                                 "Trying again at once is trying a million times. Wait a little first.")
        first.send("still there?\n")
        first.expect("ECHO still there?\n", "A shortage concerns newcomers; those who are in stay in.")
        for client in crowd[:CLIENTS // 2]:
            client.close()
        for number, client in enumerate(crowd[CLIENTS // 2:], CLIENTS // 2):
            client.expect(f"ECHO I am {number}\n", "Descriptors are free again: accept whoever waits in the backlog.")
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
