#!/usr/bin/env python3
"""Tests of ./lab etcd, with real members of etcd: members_test.py NAME. Exit 77: cannot be tried here."""

import base64
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import pexpect

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "docs/etcd/members.py"
MOST_SECONDS = 90
ELECTION = r"member \d \(pid \d+\) leads|nobody leads: .*"


class Skip(Exception):
    pass


def expect(condition, *what):
    if not condition:
        raise AssertionError("\n".join(map(str, what)))


def wait_until(what, condition):
    deadline = time.monotonic() + MOST_SECONDS
    while not condition():
        expect(time.monotonic() < deadline, f"waited for {what}")
        time.sleep(0.05)


def runs(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Members:
    """./lab etcd's program, in a directory of the test's own; `before` goes before its command."""

    def __init__(self, *words, before=(), **environment):
        if not shutil.which("etcd"):
            raise Skip("there is no etcd here")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="five_members."))
        self.left = b""
        self.told = []
        environment = {**os.environ, **environment, "TMPDIR": str(self.directory)}
        # When ctest kills a test that takes too long, it ends as well, and its members.
        command = ["setpriv", "--pdeathsig", "TERM", *before, PROGRAM, *words]
        self.started = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        try:
            self.urls = self.line(r"Use: --etcd (.*)")[1].split(",")
            self.pids = [int(self.line(rf"member {number + 1} \(pid (\d+)\): {re.escape(url)}(?:, leads)?")[1])
                         for number, url in enumerate(self.urls)]
            expect([line.endswith(", leads") for line in self.told[1:]] == [True] + [False] * (len(self.pids) - 1), *self.told)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.started.kill()
        self.started.wait()
        for stream in (self.started.stdin, self.started.stdout, self.started.stderr):
            stream.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def line(self, wanted):
        """The next line that it tells, which must be this one; but on a busy machine members may elect anew at any time."""
        deadline = time.monotonic() + MOST_SECONDS
        while not (found := re.fullmatch(wanted, self.any_line(wanted, deadline))):
            expect(re.fullmatch(ELECTION, self.told[-1]), f"waited for {wanted}, got:", *self.told)
        return found

    def any_line(self, wanted, deadline):
        while b"\n" not in self.left:
            ready = select.select([self.started.stdout], [], [], max(0, deadline - time.monotonic()))[0]
            read = os.read(self.started.stdout.fileno(), 4096) if ready else b""
            if not read:
                complaint = self.started.stderr.read().decode() if ready else "nothing more within the deadline"
                raise AssertionError(f"waited for {wanted}; it told {self.told}, and then: {complaint}")
            self.left += read
        line, _, self.left = self.left.partition(b"\n")
        self.told.append(line.decode())
        return self.told[-1]

    def introduced(self):
        self.line(r"\d of \d must agree on what is stored\. What they log: .*")
        self.line(r"Elsewhere: kill -STOP, -CONT or -KILL, and a pid\. Here: restart 1; \^C ends all")
        return self

    def type(self, line):
        self.started.stdin.write(f"{line}\n".encode())
        self.started.stdin.flush()

    def kill(self, number, how=signal.SIGKILL):
        os.kill(self.pids[number], how)

    def call(self, number, path, **body):
        body = {name: base64.b64encode(value.encode()).decode() for name, value in body.items()}
        open_directly = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        with open_directly(f"{self.urls[number]}/v3/{path}", json.dumps(body).encode(), MOST_SECONDS) as answer:
            return json.load(answer)

    def put(self, number, key, value):
        self.call(number, "kv/put", key=key, value=value)

    def get(self, number, key):
        return base64.b64decode(self.call(number, "kv/range", key=key)["kvs"][0]["value"]).decode()

    def leads(self, number):
        status = self.call(number, "maintenance/status")
        return status.get("leader") == status["header"]["member_id"]

    def nothing_is_left(self):
        wait_until("the members to end", lambda: not any(map(runs, self.pids)))
        expect(not list(self.directory.iterdir()), "it has left", *self.directory.iterdir())


# ---- starting and ending --------------------------------------------------------------------------------------------


def one_member_serves_when_it_says_so():
    with Members("--port", "0") as members:
        members.put(0, "room", "lobby")
        expect(members.get(0, "room") == "lobby", "it has not stored it")
        members.introduced()
        expect(len(members.urls) == 1, members.told)


def each_of_three_serves_when_it_says_so():
    with Members("3", "--port", "0") as members:
        expect(len(set(members.urls)) == 3, members.urls)
        for number in range(3):
            members.put(number, f"room {number}", "lobby")
        expect(all(members.get(number, "room 2") == "lobby" for number in range(3)), "they have not stored it")


def a_signal_ends_all_of_it():
    for how, count in ((signal.SIGINT, 1), (signal.SIGTERM, 3), (signal.SIGHUP, 1)):
        with Members(str(count), "--port", "0") as members:
            members.introduced()
            members.kill(count - 1, signal.SIGSTOP)  # this one, too
            members.started.send_signal(how)
            expect(members.started.wait(MOST_SECONDS) == 0, members.started.stderr.read())
            expect(members.started.stderr.read() == b"", "it was told to end, and complains")
            members.nothing_is_left()


def a_signal_ends_it_before_it_serves():
    with tempfile.TemporaryDirectory(prefix="five_members.") as directory:
        etcd = pathlib.Path(directory) / "etcd"
        etcd.write_text(f"#!/bin/sh\necho $$ > {directory}/pid.new; mv {directory}/pid.new {directory}/pid\nexec sleep 1000\n")
        etcd.chmod(0o755)
        members = Members("--port", "0", PATH=f"{directory}:{os.environ['PATH']}")
        try:
            pid = pathlib.Path(directory) / "pid"
            wait_until("etcd to be started", pid.exists)
            members.started.terminate()
            expect(members.started.wait(MOST_SECONDS) == 0, members.started.stderr.read())
            members.pids = [int(pid.read_text())]
            members.nothing_is_left()
        finally:
            members.__exit__()


def in_a_terminal(end):
    if not shutil.which("etcd"):
        raise Skip("there is no etcd here")
    with tempfile.TemporaryDirectory(prefix="five_members.") as directory:
        terminal = pexpect.spawn(str(PROGRAM), ["--port", "0"], env={**os.environ, "TMPDIR": directory}, encoding="utf-8",
                                 timeout=MOST_SECONDS)
        try:
            terminal.expect(r"member 1 \(pid (\d+)\)")
            pid = int(terminal.match[1])
            terminal.expect("ends all\r\n")
            end(terminal)
            wait_until("it to end", lambda: not terminal.isalive())
            wait_until("its member to end", lambda: not runs(pid))
            expect(not os.listdir(directory), "it has left", os.listdir(directory))
        finally:
            terminal.close(force=True)


def ctrl_c_ends_all_of_it():
    in_a_terminal(lambda terminal: terminal.sendintr())


def it_ends_with_its_terminal():
    in_a_terminal(lambda terminal: os.dup2(os.open(os.devnull, os.O_RDWR), terminal.child_fd))


def members_do_not_outlive_it():
    with Members("3", "--port", "0") as members:
        members.started.kill()
        wait_until("the members to end", lambda: not any(map(runs, members.pids)))


def it_goes_on_without_an_input():
    with Members("--port", "0") as members:
        members.started.stdin.close()
        members.introduced()
        members.kill(0, signal.SIGSTOP)
        members.line(r"member 1 \(pid \d+\) is stopped by SIGSTOP")


# ---- what happens to the members ------------------------------------------------------------------------------------


def when_the_leader_is_killed_another_leads():
    with Members("3", "--port", "0") as members:
        members.put(0, "room", "lobby")
        members.introduced()
        members.kill(0)
        members.line(rf"member 1 \(pid {members.pids[0]}\) was ended by SIGKILL")
        elected = int(members.line(r"member ([23]) \(pid \d+\) leads")[1]) - 1
        members.put(elected, "history", "kept")
        expect(members.get(elected, "room") == "lobby", "what was stored is gone")


def when_the_leader_is_stopped_another_leads_and_stays():
    with Members("3", "--port", "0") as members:
        members.introduced()
        members.kill(0, signal.SIGSTOP)
        members.line(r"member 1 \(pid \d+\) is stopped by SIGSTOP")
        members.line(r"member [23] \(pid \d+\) leads")
        members.kill(0, signal.SIGCONT)
        members.line(r"member 1 \(pid \d+\) goes on")
        members.put(0, "room", "lobby")  # it has learnt whom to follow
        members.kill(0, signal.SIGTERM)  # and nothing was told before this
        members.line(r"member 1 \(pid \d+\) (was ended by SIGTERM|has ended with 0, see .*)")


def without_a_majority_nobody_leads_until_one_is_started_again():
    with Members("3", "--port", "0") as members:
        members.put(0, "room", "lobby")
        members.introduced()
        for number in (1, 2):
            members.kill(number)
            members.line(rf"member {number + 1} \(pid \d+\) was ended by SIGKILL")
        members.line("nobody leads: 1 of 3 run, and 2 must agree on what is stored")
        members.type("restart 2")
        pid = int(members.line(r"member 2 \(pid (\d+)\) is started again")[1])
        expect(pid != members.pids[1] and runs(pid), members.told)
        members.line(r"member [12] \(pid \d+\) leads")
        wait_until("it to serve", lambda: serves(members, 1))
        expect(members.get(1, "room") == "lobby", "what it had stored is gone")


def one_that_leads_again_is_told_again():
    with Members("--port", "0") as members:
        members.introduced()
        members.kill(0)
        members.line(r"member 1 \(pid \d+\) was ended by SIGKILL")
        members.type("restart 1")
        pid = members.line(r"member 1 \(pid (\d+)\) is started again")[1]
        members.line(rf"member 1 \(pid {pid}\) leads")


def one_that_had_no_majority_for_a_moment_is_told_again():
    with Members("3", "--port", "0") as members:
        members.introduced()
        members.kill(0)
        members.line(r"member 1 \(pid \d+\) was ended by SIGKILL")
        elected = int(members.line(r"member ([23]) \(pid \d+\) leads")[1])
        members.put(elected - 1, "room", "lobby")  # which member 1 lacks: it cannot be elected without this one
        members.kill(4 - elected)
        members.line(rf"member {5 - elected} \(pid \d+\) was ended by SIGKILL")
        wait_until("it to step down", lambda: not members.leads(elected - 1))
        members.type("restart 1")
        members.line(r"member 1 \(pid \d+\) is started again")
        members.line(rf"member {elected} \(pid {members.pids[elected - 1]}\) leads")


def serves(members, number):
    try:
        return bool(members.get(number, "room"))
    except (urllib.error.URLError, ConnectionError):
        return False


def what_is_typed_wrong_is_answered():
    with Members("--port", "0") as members:
        members.introduced()
        members.type("restart 1")
        members.line(r"member 1 \(pid \d+\) has not ended")
        for line in ("restart 2", "restart 0", "restart", "kill 1"):
            members.type(line)
            members.line('what can be typed here: "restart N", where N is a member, 1 to 1')
        members.type("")
        members.kill(0)
        members.line(r"member 1 \(pid \d+\) was ended by SIGKILL")


# ---- what cannot be -------------------------------------------------------------------------------------------------


def run(*words, **environment):
    return subprocess.run([sys.executable, PROGRAM, *words], env={**os.environ, **environment}, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=MOST_SECONDS, check=False)


def a_wrong_number_is_explained():
    for words in (["0"], ["8"], ["-1"], ["three"], ["1.5"], ["3", "--port", "70000"], ["3", "--port", "http"]):
        wrong = run(*words)
        expect(wrong.returncode == 2 and wrong.stdout == "" and "Traceback" not in wrong.stderr, words, wrong)
    expect("0 members? 1 to 7; best 1, 3 or 5" in run("0").stderr, run("0"))


def stand_in(directory, body):
    """An etcd that does this instead, or first."""
    etcd = pathlib.Path(directory) / "etcd"
    etcd.write_text(f"#!/bin/sh\n{body}\n")
    etcd.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


def without_etcd_it_says_so_in_a_line():
    with tempfile.TemporaryDirectory(prefix="five_members.") as directory:
        wrong = run(PATH=directory)
        expect(wrong.returncode == 1 and wrong.stderr.count("\n") == 1 and "there is no etcd here" in wrong.stderr, wrong)


def a_member_that_cannot_start_is_told_in_a_line():
    with tempfile.TemporaryDirectory(prefix="five_members.") as directory:
        wrong = run("3", PATH=stand_in(directory, "echo the disk is full; exit 3"), TMPDIR=directory)
        expect(wrong.returncode == 1 and wrong.stdout == "" and
               re.fullmatch(r"lab: cannot go on: member \d has ended with 3, see .*: the disk is full\n", wrong.stderr), wrong)
        expect(os.listdir(directory) == ["etcd"], "it has left", os.listdir(directory))
        wrong = run("1", TMPDIR=f"{directory}/nowhere", PATH=stand_in(directory, ""))
        expect(wrong.returncode == 1 and wrong.stderr.count("\n") == 1, wrong)


def a_port_that_is_taken_meanwhile_is_not_the_end():
    if not (real := shutil.which("etcd")):
        raise Skip("there is no etcd here")
    with tempfile.TemporaryDirectory(prefix="five_members.") as directory:
        body = f"mkdir {directory}/tried && echo listen tcp: bind: address already in use && exit 1\nexec {real} \"$@\""
        with Members("--port", "0", PATH=stand_in(directory, body)) as members:
            members.put(0, "room", "lobby")


IN_A_NETWORK_OF_ITS_OWN = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def in_own_network(*command):
    if subprocess.run([*IN_A_NETWORK_OF_ITS_OWN, "true"], capture_output=True, check=False).returncode != 0:
        raise Skip("this machine does not allow a network of one's own")
    return [*IN_A_NETWORK_OF_ITS_OWN, *command]


def the_first_has_the_usual_port():
    with Members("3", before=in_own_network()) as members:
        expect(members.urls[0] == "http://127.0.0.1:2379", members.urls)


def where_the_usual_port_is_taken_it_says_so():
    taken = "import socket, os, sys; s = socket.create_server(('127.0.0.1', 2379)); s.set_inheritable(True); " \
            "os.execvp(sys.argv[1], sys.argv[1:])"
    with Members(before=in_own_network(sys.executable, "-c", taken)) as members:
        expect(members.urls == ["http://127.0.0.1:2380"], members.urls)
        members.introduced()
        members.started.terminate()
        members.started.wait(MOST_SECONDS)
        complaint = members.started.stderr.read().decode()
        expect(complaint.startswith("lab: port 2379 is taken") and complaint.count("\n") == 1, complaint)


def a_script_that_has_read_the_first_line_may_go():
    if not shutil.which("etcd"):
        raise Skip("there is no etcd here")
    with tempfile.TemporaryDirectory(prefix="five_members.") as directory:
        started = subprocess.Popen([PROGRAM, "--port", "0"], env={**os.environ, "TMPDIR": directory}, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with started:
            lines = iter(started.stdout)
            expect(next(lines).startswith(b"Use: --etcd http://"), "another first line")
            started.stdout.close()
            started.stdin.write(b"what?\n")
            started.stdin.flush()
            expect(started.wait(MOST_SECONDS) == 0, started.stderr.read())
            expect(started.stderr.read() == b"" and not os.listdir(directory), os.listdir(directory))


def the_variables_of_etcd_do_not_reach_it():
    with Members("--port", "0", ETCD_INITIAL_CLUSTER_STATE="existing", ETCD_MAX_TXN_OPS="nonsense") as members:
        members.put(0, "room", "lobby")


if __name__ == "__main__":
    try:
        globals()[sys.argv[1]]()
    except Skip as reason:
        print(f"{sys.argv[1]}: Skipped\n{reason}")
        sys.exit(77)
