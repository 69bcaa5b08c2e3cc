"""One talks, one listens, one does not read."""

import pathlib

from checking import SUBJECT, Server, Wrong, run, step

LINE = "x" * 10000 + "\n"
LINES = 1200  # 12 MB: more than the backlog and the system's buffers for one connection
BATCH = 10  # so many are said before they are waited for
MOST_MEMORY = 64 << 20  # of the server: far above what it needs, far below all that is said


def memory(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@step("what one says, all hear")
def all_hear():
    with Server(SUBJECT) as server:
        first, second = server.connect(), server.connect()
        second.send("I am here\n")
        second.expect("I am here\n")
        first.expect("I am here\n")
        first.send("hello\nagain\n")
        for member in (first, second):
            member.expect("hello\n")
            member.expect("again\n")


@step("one who does not read holds nobody up, and is cut off")
def slow_reader():
    with Server(SUBJECT) as server:
        talker, listener = server.connect(), server.connect()
        sloth = server.connect(receive_buffer=4096)
        sloth.send("I shall not read\n")
        for member in (talker, listener):
            member.expect("I shall not read\n")
        for _ in range(LINES // BATCH):
            talker.send(LINE * BATCH)
            for member in (talker, listener):
                for _ in range(BATCH):
                    member.expect(LINE, "One who does not read holds all the others up.")
        got = sloth.ends("its backlog is above the bound", hint="Cut off who is too far behind.")
        if got >= LINES * len(LINE):
            raise Wrong("that who is too far behind is cut off", "it still got every line, from the server's memory",
                        "Give the backlog a bound.")
        if memory(server) > MOST_MEMORY:
            raise Wrong("that the server's memory stays bounded", f"it took {memory(server) >> 20} MB",
                        "Free the backlog of who is cut off.")
        talker.send("still there?\n")
        listener.expect("still there?\n")


@step("who leaves in the middle is no trouble")
def leaving():
    with Server(SUBJECT) as server:
        talker = server.connect()
        for turn in range(20):
            guest = server.connect()
            guest.send("in\n")
            guest.expect("in\n")
            talker.expect("in\n")
            if turn % 2:
                guest.reset()
            else:
                guest.close()
            talker.send("on\n")
            talker.expect("on\n")


run()
