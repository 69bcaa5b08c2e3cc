"""Comes with more clients than are allowed."""

from checking import SUBJECT, Server, run, step

LIMIT = 2


def served(server):
    client = server.connect()
    client.send("hello\n")
    client.expect("ECHO hello\n", "Is a permit missing that an earlier client should have given back?")
    return client


@step("two clients are served at the same time")
def two():
    with Server(SUBJECT) as server:
        first, second = served(server), served(server)
        first.send("again\n")
        first.expect("ECHO again\n")
        second.send("again\n")
        second.expect("ECHO again\n")


@step("the third waits, unheard, until somebody leaves")
def third():
    with Server(SUBJECT) as server:
        first, second = served(server), served(server)
        late = server.connect()
        late.send("and me?\n")
        late.silence(f"{LIMIT} clients are being served, and no more may be", hint="Take a permit before accept.")
        server.must_wait_quietly("that the server waits quietly for a permit",
                                 "A loop that looks again and again burns a processor. std::counting_semaphore waits.")
        second.send("still here\n")
        second.expect("ECHO still here\n")
        first.close()
        late.expect("ECHO and me?\n", "Somebody has left: there is a permit for the one who waits.")


@step("permits come back, however clients leave")
def leaving():
    with Server(SUBJECT) as server:
        for _ in range(5):
            served(server).close()
            served(server).reset()
            unfinished = served(server)
            unfinished.send("half a li")
            unfinished.close()
            server.connect().close()
            talker = served(server)  # it goes while it is being answered: sending fails, too
            talker.send("and so on\n" * 20000)
            talker.reset()
        first, second = served(server), served(server)
        late = server.connect()
        late.send("and me?\n")
        late.silence(f"{LIMIT} clients are being served, after many have come and gone",
                     hint="Is a permit given back twice?")
        first.close()
        second.close()
        late.expect("ECHO and me?\n")


run()
