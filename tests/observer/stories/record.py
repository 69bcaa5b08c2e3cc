#!/usr/bin/env python3
"""Records the stories here anew, from the real servers: record.py [BIN]. What the tests do not look at is left out."""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
BIN = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parents[2] / "build" / "bin")
LEFT_OUT = {"processes", "door", "answers", "lags", "waits_for_client", "got_client_connection"}
PATIENCE = 20  # seconds


def until(is_so, what):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if is_so():
            return
        time.sleep(0.05)
    raise SystemExit(f"record.py: it never was that {what}")


class Program:
    def __init__(self, words, folder):
        self.out = folder / f"out.{time.monotonic_ns()}"
        with self.out.open("w") as out:
            self.process = subprocess.Popen([str(word) for word in words], stdout=out)

    def number_after(self, words):
        pattern = re.compile(re.escape(words) + r"\D*127\.0\.0\.1:(\d+)")
        until(lambda: pattern.search(self.out.read_text()), f"{words} was told")
        return int(pattern.search(self.out.read_text())[1])

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(PATIENCE)


class Observed(Program):
    def __init__(self, name, words, folder):
        self.name, self.record = name, folder / "story"
        super().__init__([BIN / "observer", "--port", "0", "--record", self.record, "--", BIN / "05_chat", "--port",
                          "0", "--rate", "0", *words], folder)
        self.page = self.number_after("Observing on http://")
        self.port = self.number_after("Listening on ")

    def picture(self):
        return json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.page}/picture"))

    def rooms(self):
        return self.picture()["rooms"]

    def keep(self):
        lines = self.record.read_text().splitlines()
        kept = [line for line in lines if not line.startswith("{") or json.loads(line)["event"] not in LEFT_OUT]
        kept = [line for line in kept if '"observes"' not in line]
        (HERE / self.name).write_text("\n".join(kept) + "\n")


class Person:
    def __init__(self, port, name):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.heard = self.socket.makefile("rb")
        self.say(name, f"as {name}")

    def say(self, line, answer=None):
        """Says it, and waits for a line that holds the answer."""
        self.socket.sendall(line.encode() + b"\r\n")
        while answer and answer.encode() not in self.heard.readline():
            pass


def chat_link(folder):
    observed = Observed("chat_link.jsonl", ["--node-port", "0", "--supervised", "--faults"], folder)
    node_port = observed.number_after("waits for links of other nodes on ")
    other = Program([BIN / "05_chat", "--port", "0", "--join", f"127.0.0.1:{node_port}"], folder)
    other_port = other.number_after("Listening on ")
    ann, bob, mikey = (Person(port, name) for port, name in
                       ((observed.port, "Ann"), (observed.port, "Bob"), (other_port, "Mikey")))
    ann.say("/join Tea", "room Tea")
    ann.say("tea?", "tea?")
    bob.say("/join TEA", "room TEA")
    mikey.say("hi all", "hi all")
    ann.say("!throw room")
    ann.say("this line breaks the rooms")
    until(lambda: observed.rooms()["links"] == [] and observed.picture()["clients"]["now"] == 1, "the rooms crashed")
    other.end()
    observed.end()
    observed.keep()


def chat_workers(folder):
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    client, peer = (f"http://127.0.0.1:{port}" for port in ports)
    etcd = subprocess.Popen(["etcd", "--data-dir", str(folder / "etcd"), "--listen-client-urls", client,
                             "--advertise-client-urls", client, "--listen-peer-urls", peer,
                             "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    over = ["--engine", "etcd", "--etcd", client]
    try:
        observed = Observed("chat_workers.jsonl", [*over, "--workers", "3", "--faults"], folder)
        until(lambda: len(observed.rooms()["nodes"]) == 3, "three nodes are there")
        people = [Person(observed.port, f"p{number}") for number in range(8)]
        outside = Program([BIN / "05_chat", "--port", "0", "--rate", "0", "--node-name", "outside", *over], folder)
        xavier = Person(outside.number_after("Listening on "), "Xavier")
        xavier.say("hi", "hi")
        until(lambda: observed.rooms()["shown"][0]["now"] == 9, "nine are there")
        people[0].say("!segv")
        until(lambda: observed.picture()["restarts"][0]["within"] == 1, "a worker crashed")
        until(lambda: len([node for node in observed.rooms()["nodes"] if node["epoch"]]) == 4, "it is back")
        time.sleep(2)  # some heartbeats
        outside.end(signal.SIGKILL)
        until(lambda: len(observed.rooms()["nodes"]) == 3, "the node outside has gone")
        etcd.send_signal(signal.SIGSTOP)
        last = next(person for person in people[1:] if is_there(person))
        last.say("into the void")
        until(lambda: all(node["state"] == "waits for etcd" for node in observed.rooms()["nodes"]), "etcd is silent")
        time.sleep(2)  # until their leases have ended
        etcd.send_signal(signal.SIGCONT)
        until(lambda: any(line["text"] == "into the void" for line in observed.rooms()["shown"][0]["lines"]),
              "what was said is there")
        until(lambda: all(node["state"] == "lives" for node in observed.rooms()["nodes"]), "all are back")
        observed.process.send_signal(signal.SIGHUP)
        until(lambda: '"drains"' in json.dumps(observed.picture()["tree"]), "a worker drains")
        observed.end()
        observed.keep()
    finally:
        etcd.kill()
        etcd.wait()


def is_there(person):
    person.socket.setblocking(False)
    try:
        while person.socket.recv(4096):
            pass
        return False
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    finally:
        person.socket.setblocking(True)


def main():
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        chat_link(folder)
        chat_workers(folder)
    finally:
        shutil.rmtree(folder)


main()
