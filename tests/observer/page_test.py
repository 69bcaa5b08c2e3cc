#!/usr/bin/env python3
"""The observer's page in a real browser: each view shows what happens in the tutorial's experiments, soon.

    page_test.py PROGRAMS [--pictures FOLDER] [STAGE…]    PROGRAMS: where the programs are; FOLDER: keep a picture of each stage

Ends with 77, and says why, where there is no browser.
"""

import argparse
import os
import queue
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

from browser import Browser, NoBrowser  # noqa: E402

SKIPPED = 77
FACTOR = float(os.environ.get("FIVE_TIME_FACTOR", "1"))
PATIENCE = 20 * FACTOR  # for what must come about at all
SOON = 0.5  # how late the page may be: the median of all waits, since a busy machine may stop for longer once
VIEWS = ("door", "acceptors", "clients", "processes", "tree", "restarts", "rates", "heartbeats", "rooms", "story")


class Observed:
    """A stage below the observer, and its page in the browser."""

    def __init__(self, programs, browser, stage, *options):
        self.browser = browser
        command = [programs / "observer", "--port", "0", "--", programs / stage, "--port", "0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.address = self.line(r"Observing on (\S+)")
        self.port = int(self.line(r"Listening on \S+:(\d+)"))
        self.clients = []
        self.late = []
        browser.open(self.address)
        browser.wait("document.documentElement.dataset.pictures > 0")

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def line(self, pattern):
        until = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.lines.get(timeout=max(0.01, until - time.monotonic())))
            if found:
                return found[1]

    def client(self, *said):
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.clients.append(client)
        for line in said:
            self.say(client, line)
        return client

    @staticmethod
    def say(client, line):
        client.sendall(line.encode() + b"\r\n")
        client.recv(4096)

    @staticmethod
    def name(client):
        return "%s:%d" % client.getsockname()[:2]

    def shows(self, view, text):
        """Waits until the view's text matches."""
        expression = f"new RegExp({js(text)}, 's').test(document.getElementById({js(view)}).innerText)"
        try:
            self.late.append(self.browser.wait(expression, PATIENCE))
        except AssertionError as late:
            raise AssertionError(f"{late}\n{view} shows: {self.text(view)}") from None

    def text(self, view):
        return self.browser.value(f"document.getElementById({js(view)}).innerText")

    def end(self, status):
        for client in self.clients:
            client.close()
        self.process.send_signal(signal.SIGINT)
        errors = self.process.communicate(timeout=PATIENCE)[1]
        assert self.process.returncode == status, f"exit {self.process.returncode}, not {status}: {errors}"


def js(text):
    import json
    return json.dumps(text)


def stage_01(start):
    """One is served, four wait; and what a client types is text."""
    observed = start("01_naive")
    observed.shows("story", "server waits for client")
    served = observed.client("hello")
    observed.shows("clients", "1 now.*hello")
    others = [observed.client() for _ in range(4)]
    for other in others:
        other.sendall(b"me too\r\n")
    observed.shows("door", r"4 wait.*8 bytes unread.*32 bytes of those who wait")
    observed.shows("door", re.escape(observed.name(others[3])))
    observed.say(served, "<img src=x onerror=alert(1)>")
    observed.shows("clients", re.escape("<img src=x onerror=alert(1)>"))
    assert observed.browser.value("document.querySelectorAll('img').length") == 0
    served.close()
    observed.shows("door", "3 wait")
    observed.shows("clients", re.escape(observed.name(others[0])))
    return observed, 128 + signal.SIGINT  # 01 dies by the signal: that is its lesson


def stage_02(start):
    """A thread for each client."""
    observed = start("02_thread_per_client", "--faults")
    clients = [observed.client("hello") for _ in range(5)]
    observed.shows("processes", "client 5")
    observed.shows("clients", "5 now")
    observed.shows("door", "nobody waits")
    clients[0].close()
    observed.shows("clients", "just gone.*gone: the client has closed")
    observed.say(clients[1], "!throw")
    observed.shows("clients", "crashed: !throw")
    observed.browser.value("document.getElementById('only-failed').click()")
    observed.shows("story", "handler 2 crashed: !throw")
    assert "waits for data" not in observed.text("lines")
    return observed, 0


def stage_03(start):
    """Acceptors that are busy, packets, and the end of all."""
    observed = start("03_acceptor_pool", "--faults", "--acceptors", "3", "--setup-ms", "1500", "--threads", "2")
    observed.shows("acceptors", "3 of 3 wait")
    client = observed.client()
    observed.shows("acceptors", "2 of 3 wait.*works on " + re.escape(observed.name(client)))
    observed.shows("clients", "1 now")
    for _ in range(50):
        observed.say(client, "hello")
    observed.shows("rates", r"[1-9]\d* packets/s")
    observed.shows("processes", "loop 2")
    observed.say(client, "!segv")
    observed.shows("state", "gone: ended by signal SEGV")
    observed.shows("clients", "who was there.*went with the server: by signal SEGV")
    return observed, 128 + signal.SIGSEGV


def stage_04(start):
    """Workers die, hang, come back, and at last there is no supervisor any more."""
    observed = start("04_supervised", "--faults", "--workers", "2", "--max-restarts", "2", "--watchdog-ms", "1000", "--acceptors", "2")
    observed.shows("tree", r"root.*worker-1.*sessions.*acceptors.*acceptor-1.*worker-2")
    observed.shows("heartbeats", r"worker-1.*worker-2")
    observed.shows("restarts", "0 within 5 s, 2 allowed")
    observed.say(observed.client("hello"), "!segv")
    observed.shows("tree", r"1 restart.*last end: SIGSEGV")
    observed.shows("restarts", "1 within 5 s, 2 allowed")
    observed.shows("clients", r"went with worker-\d: SIGSEGV")
    observed.client().sendall(b"!spin\r\n")
    observed.shows("heartbeats", "1 late")
    observed.shows("tree", "no heartbeat within 1000 ms")
    for _ in range(6):
        try:
            observed.client().sendall(b"!segv\r\n")
        except ConnectionError:
            break
        time.sleep(0.2)  # or the new worker, which does not accept yet, gets no share of them
    observed.shows("tree", "has given up: 3 restarts within 5 s, 2 allowed")
    observed.shows("state", "gone: ended with exit status 1")
    return observed, 1


def stage_05(start):
    """Who is in which room, and who does not read."""
    observed = start("05_chat", "--rate", "0")
    michael, mikey = observed.client("Michael"), observed.client("Mikey")
    observed.shows("rooms", "2 people.*Michael.*Mikey")
    observed.say(michael, "Hello!")
    observed.shows("rooms", "Michael: Hello!")
    mikey.close()
    observed.shows("rooms", "1 person")
    return observed, 0


def check(programs, browser, stage, pictures):
    play = globals()["stage_" + stage]
    started = []

    def start(*command):
        started.append(Observed(programs, browser, *command))
        return started[0]

    try:
        observed, status = play(start)
        if pictures:
            browser.picture(pictures / f"{stage}.png")
        assert not browser.errors, browser.errors
        assert browser.value("document.querySelectorAll('main section').length") == len(VIEWS)
        observed.end(status)
        return observed.late
    finally:
        for each in started:
            each.process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("stages", nargs="*", default=["01", "02", "03", "04", "05"])
    options = parser.parse_args()
    late = []
    try:
        with Browser(deadline=PATIENCE * 3, dark=options.dark) as browser:
            for stage in options.stages:
                waits = check(options.programs.resolve(), browser, stage, options.pictures)
                late += waits
                print(f"{stage}: {len(waits)} waits, the longest {max(waits):.2f} s", flush=True)
    except NoBrowser as missing:
        print(f"Skipped: {missing}")
        return SKIPPED
    median = statistics.median(late)
    print(f"the page is {median:.2f} s late (median of {len(late)})")
    return 0 if median <= SOON * FACTOR else 1


if __name__ == "__main__":
    sys.exit(main())
