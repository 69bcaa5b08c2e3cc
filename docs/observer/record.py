#!/usr/bin/env python3
"""Makes the recordings beside it: plays the tutorial's experiments against the real servers, while the observer records.

    record.py [--programs build/bin] [--folder docs/observer] [NAME…]    all of them takes three minutes

A recording is what `observer --record` keeps, and one line more for each thing that somebody does, told by `narrator`.
So that it stays small, what clients said is cut, and what the observer has seen is left out where nothing had changed.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30
LONGEST_SAID = 60  # bytes of it that are kept
BEFORE = 0.4  # seconds from what is told to what is done: whoever stops there has not seen it yet
LOOK = 1.6  # and after it, so that whoever watches has seen the last thing before the next one


class Stage:
    """A server below the observer, the people who come to it, and what is told of them."""

    def __init__(self, options, name, program, *arguments):
        self.file = options.folder / f"{name}.jsonl"
        self.raw = Path(tempfile.gettempdir()) / f"five_record.{os.getpid()}.{name}"
        self.narrated = []
        self.people = {}
        programs = os.path.relpath(options.programs, ROOT)  # what is recorded is the same on each computer
        command = [f"{programs}/observer", "--port", "0", "--record", str(self.raw), "--",
                   f"{programs}/{program}", "--port", str(options.port), *arguments]
        self.port = options.port
        self.server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.story = []
        self.told = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def begin(self):
        self.wait_for(rf"Listening on \S+:{self.port}")
        self.pause()
        return self

    def read(self):
        for line in self.server.stdout:
            with self.told:
                self.story.append(line.rstrip("\n"))
                self.told.notify_all()
        with self.told:
            self.story.append("(the end)")
            self.told.notify_all()

    def wait_for(self, pattern, since=0):
        """The first line of the story that matches, counted from the line `since`."""
        def find():
            return next((line for line in self.story[since:] if re.search(pattern, line)), None)

        with self.told:
            assert self.told.wait_for(find, PATIENCE), f"{self.file.name}: no line like {pattern}, but {self.story}"
            return find()

    def mark(self):
        return len(self.story)

    def narrate(self, words, pause=LOOK):
        self.narrated.append((datetime.now(timezone.utc), words))
        self.pause(pause)

    @staticmethod
    def pause(seconds=LOOK):
        time.sleep(seconds)

    def comes(self, name, words="{name} connects ({address}).", reads=None, pause=LOOK):
        person = socket.socket()
        if reads:
            person.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, reads)
        person.settimeout(PATIENCE)
        person.bind(("127.0.0.1", 0))  # so that we know where they come from before they do
        self.people[name] = person
        if words:
            self.narrate(words.format(name=name, address="%s:%d" % person.getsockname()), BEFORE)
        person.connect(("127.0.0.1", self.port))
        self.pause(pause)
        return person

    def says(self, name, line, words="{name} says: {line}", waits=True, pause=LOOK):
        if words:
            self.narrate(words.format(name=name, line=line), BEFORE)
        self.people[name].sendall(line.encode() + b"\n")
        heard = self.hears(name) if waits else b""
        self.pause(pause)
        return heard

    def hears(self, name):
        try:
            return self.people[name].recv(65536)
        except ConnectionError:
            return b""

    def leaves(self, name, words="{name} leaves."):
        if words:
            self.narrate(words.format(name=name), BEFORE)
        self.people.pop(name).close()
        self.pause()

    def end(self, words="The server is stopped (Ctrl-C)."):
        """Ends it, where it still runs, and keeps the recording."""
        if words:
            self.narrate(words, BEFORE)
        self.server.send_signal(signal.SIGINT)
        self.server.wait(PATIENCE)
        for person in self.people.values():
            person.close()
        self.tidy()

    def tidy(self):
        kept, last, waiting = [], {}, sorted(self.narrated)
        for line in self.raw.read_text(encoding="utf-8").splitlines():
            if line.startswith("{"):
                told = json.loads(line)
                at = datetime.fromisoformat(told["time"].replace("Z", "+00:00"))
                while waiting and waiting[0][0] <= at:
                    kept.append(narration(*waiting.pop(0)))
                if told["who"] == "observer" and last.get(told["event"]) == (seen := without_noise(told)):
                    continue
                if told["who"] == "observer":
                    last[told["event"]] = seen
                if len(told.get("data", "")) > LONGEST_SAID:
                    told["data"] = told["data"][:LONGEST_SAID] + "…"
                line = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
            kept.append(line)
        kept += [narration(*each) for each in waiting]
        self.file.write_text("\n".join(kept) + "\n", encoding="utf-8")
        self.raw.unlink()
        print(f"{self.file.name}: {len(kept)} lines, {self.file.stat().st_size / 1024:.0f} KiB", flush=True)


def narration(at, words):
    told = {"time": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "who": "narrator", "event": "narrates", "lines": [words]}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def without_noise(told):
    """What the observer saw, but for its clock, and for small changes that are nothing to look at."""
    def plain(value, key=""):
        if isinstance(value, dict):
            return {name: plain(each, name) for name, each in value.items() if name != "time"}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return {"cpu": lambda: round(value / 20), "memory": lambda: value >> 20, "state": lambda: 0}.get(key, lambda: value)()

    return json.dumps(plain(told))


# ---- the experiments -----------------------------------------------------------------------------------------------------


def four_wait(start):
    stage = start("01_naive")
    stage.comes("Ann")
    stage.says("Ann", "I am here")
    for name in ("Ben", "Carla", "Dora", "Elsa"):
        stage.comes(name, "{name} connects too ({address}), and is not accepted.", pause=0.8)
    for name in ("Ben", "Carla"):
        stage.says(name, "is anybody there?", "{name} says something. It waits in the kernel, unread.", waits=False)
    mark = stage.mark()
    stage.leaves("Ann", "Ann leaves: now the first of those who wait is accepted.")
    stage.wait_for("is anybody there", mark)
    stage.leaves("Ben", "Ben leaves: the next one.")
    stage.end()


def a_thread_each(start):
    stage = start("02_thread_per_client", "--faults")
    stage.comes("Ann")
    stage.says("Ann", "hello")
    stage.narrate("Twenty more connect and say nothing: a thread for each of them.", 0.5)
    for number in range(20):
        stage.comes(f"silent {number}", "", pause=0)
        time.sleep(0.1)
    stage.pause()
    stage.comes("Ben")
    stage.says("Ben", "!throw", "Ben says: !throw. It is an exception, and ends Ben's thread alone.")
    stage.says("Ann", "are you well, Ben?")
    stage.narrate("The twenty leave, and their threads with them.", BEFORE)
    for number in range(20):
        stage.people.pop(f"silent {number}").close()
    stage.pause()
    stage.end()


def pool(start, acceptors, words):
    stage = start("03_acceptor_pool", "--setup-ms", "1000", "--acceptors", str(acceptors), "--threads", "2")
    stage.narrate(words)
    for number in range(8):
        stage.comes(f"client {number}", "Eight clients come at once." if number == 0 else "", pause=0)
        stage.people[f"client {number}"].sendall(b"hello\n")
    began = time.monotonic()
    for number in range(8):
        stage.hears(f"client {number}")
    stage.narrate(f"All eight have their answer, after {time.monotonic() - began:.1f} seconds.", 2)
    stage.end()


def one_acceptor(start):
    pool(start, 1, "One acceptor, and a client's set-up takes a second.")


def eight_acceptors(start):
    pool(start, 8, "Eight acceptors, and a client's set-up takes a second.")


def a_loop_that_spins(start):
    stage = start("03_acceptor_pool", "--threads", "2", "--acceptors", "2", "--faults", "--shutdown-timeout", "0")
    stage.comes("Ann")
    stage.says("Ann", "hello")
    stage.comes("Dora")
    stage.says("Dora", "!spin", "Dora says: !spin. Loop 2 is busy for ever.", waits=False, pause=2.5)
    stage.says("Ann", "and now?", "Ann, in loop 1, is answered as before.")
    stage.comes("Ben")
    stage.says("Ben", "I am lucky", "Ben is dealt to loop 1, and is answered.")
    stage.comes("Elsa")
    stage.says("Elsa", "I am not", "Elsa is dealt to loop 2: what she says is not read.", waits=False, pause=3)
    stage.end("The server is stopped (Ctrl-C). Loop 2 cannot be: it is left behind.")


def everybody_goes(start):
    stage = start("03_acceptor_pool", "--threads", "2", "--faults")
    for name in ("Ann", "Ben", "Carla", "Dora", "Elsa"):
        stage.comes(name, pause=0.4)
        stage.says(name, "hello", "", pause=0.4)
    stage.narrate("Five are served. Who goes when one of them says !segv?", 2.5)
    mark = stage.mark()
    stage.says("Carla", "!segv", "Carla says: !segv, a write to an address that does not exist.")
    stage.wait_for("the server has ended", mark)
    stage.narrate("The process is gone, and everybody with it.", 2)
    stage.end("")


def crash_and_hang(start):
    stage = start("04_supervised", "--workers", "2", "--acceptors", "1", "--max-connections", "1", "--faults")
    stage.wait_for("worker-2,pid")
    for name in ("Ann", "Ben"):
        stage.comes(name)
        stage.says(name, "hello")
    stage.comes("Carla", "Carla connects ({address}). Both workers are taken: she waits at the door.")
    mark = stage.mark()
    stage.says("Ben", "!segv", "Ben says: !segv. His worker dies, and its successor takes Carla.")
    stage.wait_for("waits for data", mark)
    stage.says("Ann", "still here", "Ann is in the other worker, and has noticed nothing.")
    stage.says("Carla", "hello")
    mark = stage.mark()
    stage.says("Carla", "!spin", "Carla says: !spin. Her worker answers no heartbeat any more.", waits=False, pause=0)
    stage.wait_for("started id=worker", mark)
    stage.narrate("After two seconds it was taken for hung, and ended. There is a new one.", 2.5)
    stage.end()


def giving_up(start):
    stage = start("04_supervised", "--workers", "1", "--acceptors", "1", "--faults")

    def crash(words, pause):
        mark = stage.mark()
        stage.comes("Ben", "", pause=0)
        stage.says("Ben", "!segv", words, pause=0)
        stage.wait_for("started id=worker-1|gives up", mark)
        stage.pause(pause)

    stage.wait_for("worker-1,pid")
    crash("Ben says: !segv. The first restart stands in the window.", 3)
    stage.narrate("Five seconds later it does not count any more.", 4)
    for number in ("One", "Two", "Three"):
        crash(f"!segv again. {number} within five seconds: that is allowed.", 0.9)
    mark = stage.mark()
    crash("And a fourth time: that is one more than allowed.", 0)
    stage.wait_for("the server has ended", mark)
    stage.narrate("The supervisor has given up. Somebody should look at it.", 2)
    stage.end("")


def who_does_not_read(start):
    stage = start("05_chat", "--rate", "0", "--max-line", "32768", "--history", "0")
    stage.comes("Ann", "")
    stage.says("Ann", "Ann", "Ann comes in.")
    stage.comes("Mute", "", reads=4096)
    stage.says("Mute", "Mute", "Mute comes in, and from now on reads nothing.", waits=False)
    stage.comes("Flood", "")
    stage.says("Flood", "Flood", "Flood comes in, and talks: twenty times a second, as long as a book's chapter.", pause=0.5)
    stop = threading.Event()

    def read(name):
        with contextlib.suppress(OSError):
            while not stop.is_set() and stage.people[name].recv(1 << 20):
                pass

    for name in ("Ann", "Flood"):
        threading.Thread(target=read, args=(name,), daemon=True).start()
    mark = stage.mark()
    for number in range(600):  # more than the kernel and the room keep for anybody
        with contextlib.suppress(IndexError):
            if any("cuts off its client" in line for line in stage.story[mark:]):
                break
        stage.people["Flood"].sendall(b"%d " % number + b"bla " * 8000 + b"\n")
        time.sleep(0.05)
    stage.wait_for("cuts off its client", mark)
    stage.narrate("Mute is cut off. Nobody has waited for them, and no line was lost.", 3)
    stop.set()
    stage.end()


def workers(start):
    etcd = subprocess.Popen([sys.executable, ROOT / "docs/etcd/members.py"], stdout=subprocess.PIPE, text=True)
    try:
        use = re.match(r"Use: --etcd (\S+)", etcd.stdout.readline())
        assert use, "etcd does not start: is it installed?"
        stage = start("05_chat", "--engine", "etcd", "--etcd", use[1], "--node-name", "one", "--workers", "2", "--faults")
        stage.wait_for("worker-2,pid")
        stage.wait_for("worker 1 acceptor waits for client")
        stage.wait_for("worker 2 acceptor waits for client")
        where = {}
        # The kernel chooses who comes to which: of two at once each gets one, as a rule.
        for pair in (("Ann", "Ben"), ("Carla", "Dora"), ("Elsa", "Fred"), ("Gina", "Hugo"), ("Ida", "Jan")):
            if len(where) >= 6 and len(set(where.values())) == 2:
                break
            mark = stage.mark()
            stage.narrate(f"{pair[0]} and {pair[1]} come in.", BEFORE)
            for name in pair:
                stage.comes(name, "", pause=0)
            for name in pair:
                stage.says(name, name, "", pause=0)
            for name in pair:
                where[name] = stage.wait_for(rf"has {name} in the room", mark).split(" handler")[0]
            stage.pause(1.2)
        crowd = {worker: [name for name in where if where[name] == worker] for worker in where.values()}
        assert len(crowd) == 2, "all have come to one worker: try again"
        loser, others = min(crowd.values(), key=len), max(crowd.values(), key=len)
        stage.says(others[0], "Hello!")
        mark = stage.mark()
        stage.says(loser[0], "!segv", f"{loser[0]} says: !segv. The worker dies that has " + " and ".join(loser) + ".", pause=0)
        stage.wait_for("started id=worker", mark)
        stage.says(others[0], "who is still here?", "{name}, in the other worker, asks who is still here.", pause=2.5)
        stage.narrate("The new worker is the same node, and begins with nobody: all others know that they have left.", 2)
        mark = stage.mark()
        stage.comes(loser[0], "", pause=0)
        stage.says(loser[0], loser[0], "{name} comes back.", pause=2.5)
        stage.end()
    finally:
        etcd.send_signal(signal.SIGINT)
        etcd.wait(PATIENCE)


RECORDINGS = {
    "01_four_wait": four_wait,
    "02_a_thread_each": a_thread_each,
    "03_one_acceptor": one_acceptor,
    "03_eight_acceptors": eight_acceptors,
    "03_a_loop_that_spins": a_loop_that_spins,
    "03_everybody_goes": everybody_goes,
    "04_crash_and_hang": crash_and_hang,
    "04_giving_up": giving_up,
    "05_who_does_not_read": who_does_not_read,
    "05_workers": workers,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, default=ROOT / "build/bin")
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--port", type=int, default=1234, help="as the tutorial has it")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECORDINGS))
    options = parser.parse_args()
    options.programs = options.programs.resolve()
    options.folder = options.folder.resolve()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the crashes are meant
    for name in options.names or RECORDINGS:
        started = []

        def start(*command, name=name, started=started):
            started.append(Stage(options, name, *command))
            return started[0].begin()

        try:
            RECORDINGS[name](start)
        finally:
            for stage in started:
                if stage.server.poll() is None:
                    stage.server.send_signal(signal.SIGINT)
                    stage.server.wait(PATIENCE)


if __name__ == "__main__":
    main()
