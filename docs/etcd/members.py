#!/usr/bin/env python3
"""./lab etcd: some members of etcd on this machine, for experiments with a chat on many nodes.

Its first line is for scripts too. It comes when every member serves, and member 1 leads:

    Use: --etcd http://127.0.0.1:2379[,URL...]

From then on it tells what happens to the members, and goes on with those that are left. A line "restart 2" at its input
starts member 2 again, with what it had stored. SIGINT, SIGTERM and SIGHUP end it, all members, and their directory.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import platform
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HOST = "127.0.0.1"
USUAL_PORT = 2379  # etcd's own, and the one that the chat asks where it is not told another
PORTS_TRIED = 100  # from the usual one on
MOST_MEMBERS = 7  # as etcd advises
MOST_STARTS = 3  # another program may take a port before its member does
START_SECONDS = 60
LOOK_SECONDS = 0.2  # from one look at the members to the next
ANSWER_SECONDS = 1  # for a member that runs
ELECTION_SECONDS = 5  # an election takes 1 to 3; what has no leader for longer is worth telling


class Trouble(Exception):
    """Why we cannot go on, in one line."""


class PortTaken(Trouble):
    """Another program took a port before its member did."""


class Over(Exception):
    """We were told to end."""


def tell(words):
    print(words, flush=True)


class Member:
    """One process of etcd, which may be started again."""

    def __init__(self, number, directory, client_port, peer_port):
        self.number = number
        self.name = f"member {number}"
        self.name_in_etcd = f"member{number}"
        self.directory = directory / self.name_in_etcd
        self.log = directory / f"{self.name_in_etcd}.log"
        self.client_port = client_port
        self.url = f"http://{HOST}:{client_port}"
        self.peer_url = f"http://{HOST}:{peer_port}"
        self.pid = None
        self.state = "ended"  # or "runs", or "stopped": by SIGSTOP

    def __str__(self):
        return f"{self.name} (pid {self.pid})"

    def start(self, members):
        etcd = ["etcd", "--name", self.name_in_etcd, "--data-dir", str(self.directory),
                "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                "--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url,
                "--initial-cluster", ",".join(f"{member.name_in_etcd}={member.peer_url}" for member in members)]
        with open(self.log, "ab") as log:
            # The kernel ends it with us, even where we are killed. In a session of its own it does not hear the terminal's ^C.
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *etcd], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env=environment(), start_new_session=True)
        process.returncode = 0  # so that Popen leaves the waiting to change()
        self.pid, self.state = process.pid, "runs"

    def change(self):
        """What has happened to the process since it was last asked, in words; None where nothing has."""
        if self.state == "ended":
            return None
        pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if pid == 0:
            return None
        if os.WIFSTOPPED(status):
            self.state = "stopped"
            return f"is stopped by {signal.Signals(os.WSTOPSIG(status)).name}"
        if os.WIFCONTINUED(status):
            self.state = "runs"
            return "goes on"
        self.state = "ended"
        if os.WIFSIGNALED(status):
            return f"was ended by {signal.Signals(os.WTERMSIG(status)).name}"
        return f"has ended with {os.WEXITSTATUS(status)}, see {self.log}"

    def end(self):
        if self.state != "ended":
            os.kill(self.pid, signal.SIGKILL)  # what it stores is removed as well
            os.waitpid(self.pid, 0)
            self.state = "ended"

    def ask(self, what="status", **fields):
        """What it answers; by default of itself and of its leader. None where it does not answer."""
        if self.state != "runs":
            return None
        connection = http.client.HTTPConnection(HOST, self.client_port, timeout=ANSWER_SECONDS)
        try:
            connection.request("POST", f"/v3/maintenance/{what}", json.dumps(fields))
            answer = json.load(connection.getresponse())
            return answer if "header" in answer else None
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def environment():
    """Ours, less what would set etcd's options."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
    if platform.machine() == "aarch64":
        kept["ETCD_UNSUPPORTED_ARCH"] = "arm64"  # until 3.5 it must be told that it may
    return kept


def free_ports(count, first):
    """So many ports on which nobody listens now: the next ones from `first` on, or any where that is 0."""
    held = []
    with contextlib.ExitStack() as stack:
        for port in range(first, first + PORTS_TRIED) if first else [0] * count:
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, port))
                listener.listen()
            except OSError:
                continue
            held.append(listener.getsockname()[1])
            if len(held) == count:
                return held
    raise Trouble(f"from port {first} on there are no {count} free ones; --port 0 takes any")


class Outside:
    """Who may want something of us while we watch the members: signals, and whoever types."""

    def __init__(self):
        self.woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self.hears = True
        self.begun_line = ""

    def lines(self):
        """Waits until the next look is due, and returns the lines that were typed; raises Over after a signal."""
        watched = [self.woken, 0] if self.hears and in_foreground() else [self.woken]
        ready = select.select(watched, [], [], LOOK_SECONDS)[0]
        if self.woken in ready:
            raise Over
        if 0 not in ready:
            return []
        try:
            typed = os.read(0, 4096).decode(errors="replace")
        except OSError:  # the terminal is gone
            typed = ""
        self.hears = typed != ""
        *lines, self.begun_line = (self.begun_line + typed).split("\n")
        return lines


def in_foreground():
    """What reads from its terminal in the background is stopped."""
    return not os.isatty(0) or os.tcgetpgrp(0) == os.getpgrp()


class Cluster:
    def __init__(self, count, directory, first_port):
        directory.mkdir()
        ports = free_ports(2 * count, first_port)
        self.members = [Member(number + 1, directory, *ports[2 * number:2 * number + 2]) for number in range(count)]
        self.majority = count // 2 + 1
        self.leader = None  # as it was last told
        self.has_stepped_down = False  # since then
        self.leader_seen = time.monotonic()

    def start(self, outside):
        """Returns when every member serves, and the first leads: so that an experiment begins the same each time."""
        for member in self.members:
            member.start(self.members)
        deadline = time.monotonic() + START_SECONDS
        while self.leader is not self.members[0]:
            outside.lines()
            for member in self.members:
                change = member.change()
                if member.state == "ended":
                    taken = "address already in use" in member.log.read_text(errors="replace")
                    raise (PortTaken if taken else Trouble)(f"{member.name} {change}: {last_line(member.log)}")
            if time.monotonic() > deadline:
                raise Trouble(f"etcd does not serve after {START_SECONDS} s: {last_line(self.members[0].log)}")
            answers = self.ask()
            if all(answer and answer.get("leader", "0") != "0" for answer in answers):
                self.leader, self.leader_seen = self.leader_of(answers), time.monotonic()
                if self.leader not in (None, self.members[0]):
                    self.leader.ask("transfer-leadership", targetID=answers[0]["header"]["member_id"])

    def ask(self):
        return [member.ask() for member in self.members]

    def leader_of(self, answers):
        """The member that says that it leads; None where nobody does."""
        leaders = [(int(answer["raftTerm"]), member.number) for member, answer in zip(self.members, answers)
                   if answer and answer.get("leader") == answer["header"]["member_id"]]
        # Of two, one does not know yet that others have elected another, in a later term.
        return self.members[max(leaders)[1] - 1] if leaders else None

    def watch(self, outside):
        """Tells what happens, until outside raises Over."""
        while True:
            for line in outside.lines():
                self.obey(line)
            for member in self.members:
                change = member.change()
                if change:
                    tell(f"{member} {change}")
            self.tell_of_leader()

    def tell_of_leader(self):
        answers = self.ask()
        leader = self.leader_of(answers)
        if self.leader and self.leader is not leader:
            answer = answers[self.leader.number - 1]
            # Where it only does not answer, it may be busy.
            self.has_stepped_down |= self.leader.state == "ended" or answer is not None
        now = time.monotonic()
        if leader:
            self.leader_seen = now
            if leader is not self.leader or self.has_stepped_down:
                tell(f"{leader} leads")
                self.leader, self.has_stepped_down = leader, False
        elif self.leader and now - self.leader_seen > ELECTION_SECONDS:
            running = sum(member.state == "runs" for member in self.members)
            tell(f"nobody leads: {running} of {len(self.members)} run, and {self.majority} must agree on what is stored")
            self.leader = None

    def obey(self, line):
        named = re.fullmatch(r"\s*restart\s+(\d+)\s*", line)
        if not line.strip():
            return
        if not named or not 1 <= int(named[1]) <= len(self.members):
            tell(f'what can be typed here: "restart N", where N is a member, 1 to {len(self.members)}')
            return
        member = self.members[int(named[1]) - 1]
        if member.state == "ended":
            member.start(self.members)
            tell(f"{member} is started again")
        else:
            tell(f"{member} has not ended")


def last_line(log):
    lines = log.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


def introduce(cluster, first_port):
    """The first line, and what there is to play with."""
    members = cluster.members
    tell("Use: --etcd " + ",".join(member.url for member in members))
    for member in members:
        tell(f"{member}: {member.url}" + (", leads" if member is cluster.leader else ""))
    tell(f"{cluster.majority} of {len(members)} must agree on what is stored. What they log: {members[0].log.parent}")
    tell("Elsewhere: kill -STOP, -CONT or -KILL, and a pid. Here: restart 1; ^C ends all")
    if first_port == USUAL_PORT and members[0].client_port != USUAL_PORT:
        print(f"lab: port {USUAL_PORT} is taken, perhaps by the system's etcd (sudo systemctl disable --now etcd ends it);"
              " else the chat needs the --etcd above",
              file=sys.stderr, flush=True)


def run(count, first_port, directory, outside):
    for attempt in range(1, MOST_STARTS + 1):
        cluster = Cluster(count, directory / str(attempt), first_port if attempt == 1 else 0)
        try:
            cluster.start(outside)
            introduce(cluster, first_port)
            cluster.watch(outside)
        except PortTaken:
            if attempt == MOST_STARTS:
                raise
        finally:
            for member in cluster.members:
                member.end()


def number_of_members(text):
    if not re.fullmatch(r"\d+", text) or not 1 <= int(text) <= MOST_MEMBERS:
        raise argparse.ArgumentTypeError(f"{text} members? 1 to {MOST_MEMBERS}; best 1, 3 or 5: of 4, too, no more than one "
                                         "may be lost")
    return int(text)


def port(text):
    if not re.fullmatch(r"\d+", text) or int(text) > 65535 - PORTS_TRIED:
        raise argparse.ArgumentTypeError(f"port {text}? 0 to {65535 - PORTS_TRIED}")
    return int(text)


def main():
    parser = argparse.ArgumentParser(prog="./lab etcd", description=__doc__.splitlines()[0].partition(": ")[2])
    parser.add_argument("members", nargs="?", type=number_of_members, default=1, metavar="N", help="how many; default 1")
    parser.add_argument("--port", type=port, default=USUAL_PORT,
                        help=f"of member 1, default {USUAL_PORT}; the others take the next that are free; 0: any")
    options = parser.parse_args()
    for program, package in (("etcd", "etcd-server"), ("setpriv", "util-linux")):
        if not shutil.which(program):
            print(f"lab: there is no {program} here; Debian and Ubuntu have it in the package {package}", file=sys.stderr)
            return 1
    outside = Outside()
    try:
        # Not in /tmp, which may be memory: what a member stores is to cost what it costs.
        with tempfile.TemporaryDirectory(prefix="five_etcd.", dir=os.environ.get("TMPDIR", "/var/tmp")) as directory:
            run(options.members, options.port, pathlib.Path(directory), outside)
    except Over:
        pass
    except BrokenPipeError:  # whoever read what we tell has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Trouble, OSError) as trouble:
        print(f"lab: cannot go on: {trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
