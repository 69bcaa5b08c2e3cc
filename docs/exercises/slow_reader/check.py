"""One talks, one listens, one does not read."""

import pathlib

from checking import SUBJECT, Server, Wrong, run, step

LINE = "x" * 10000 + "\n"
LINES = 1200  # 12 MB: more than the backlog and the system's buffers for one connection
ESTABLISHED = "01"  # as /proc/net/tcp writes it
BATCH = 10  # so many are said before they are waited for
MOST_MEMORY = 64 << 20  # of the server: far above what it needs, far below all that is said


def memory(server):
    server.must_run()
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def unsent(server, client):
    """How many bytes for the client lie in the system's buffer at the server's end; None when that is closed."""
    ends = [f":{server.port:04X}", f":{client.socket.getsockname()[1]:04X}"]
    for row in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = row.split()
        if [field[8:] for field in fields[1:3]] == ends and fields[3] == ESTABLISHED:
            return int(fields[4].split(":")[0], 16)
    return None


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


@step("a member that does not read holds nobody up, and is cut off")
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
                    member.expect(LINE, "A member that does not read holds all the others up.")
        got = sloth.ends("its backlog is above the bound", hint="Cut off a member that is too far behind.")
        if got >= LINES * len(LINE):
            raise Wrong("that a member that is too far behind is cut off",
                        "it still got every line, from the server's memory", "Give the backlog a bound.")
        if memory(server) > MOST_MEMORY:
            raise Wrong("that the server's memory stays bounded", f"it took {memory(server) >> 20} MB",
                        "Free the backlog of a member that is cut off.")
        talker.send("still there?\n")
        listener.expect("still there?\n")


@step("while a member does not read, the server does not use the processor")
def quietly():
    with Server(SUBJECT) as server:
        talker = server.connect()
        sloth = server.connect(receive_buffer=4096)
        sloth.send("I shall not read\n")
        talker.expect("I shall not read\n")
        full = 0  # batches in a row that found no room in the system's buffers: they are in the backlog
        while full < 3 and (before := unsent(server, sloth)) is not None:
            talker.send(LINE * BATCH)
            for _ in range(BATCH):
                talker.expect(LINE, "A member that does not read holds all the others up.")
            full = full + 1 if unsent(server, sloth) == before else 0
        server.must_wait_quietly("that the server waits quietly until the member reads on",
                                 "writable wakes the writer when there is room again.")


@step("a member that leaves in the middle is no trouble")
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
