"""Terminals with a real shell in each, before a screen that a program can read."""

import os
import random
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pexpect
import pyte
from steps import INTERRUPTED

COLUMNS, ROWS = 300, 5000  # nothing wraps, nothing scrolls away
START = 60  # seconds that a shell may take to show its first prompt
SHELL = ["--norc", "--noprofile", "--noediting"]
MEMORY = "/dev/shm"  # what etcd stores for a page: a busy disk is no lesson
FIRST_OF_ETCD, PORTS_OF_ETCD = 2379, 6  # ./lab etcd takes the ports from this one on: two for each of three members


def free_port(taken=()):
    """Below the ports that the system gives to clients, so that no client takes it before our server does. A page's ports
    are not in use while they are chosen, so that no two are the same must be seen to."""
    for _ in range(1000):
        port = random.randint(20000, 32000)
        if str(port) in taken:
            continue
        if is_free(port):
            return port
    raise OSError("no free port between 20000 and 32000")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: connections that were do not count
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def free_run(count, taken=()):
    """The first of so many free ports, one after the other."""
    while True:
        first = int(free_port(taken))
        ports = range(first, first + count)
        if all(str(port) not in taken and is_free(port) for port in ports):
            return first


class Workbench:
    """A directory that looks like the repository after a build, where programs take a free port for 1234. `as_shown`: a
    page's ports are used as they stand there, where they are free. `solved`: the exercise that is solved at the desk."""

    def __init__(self, root, programs, ports, as_shown=False, solved=None):
        self.root, self.programs = root, programs
        self.ports = {}
        if str(FIRST_OF_ETCD) in ports:
            as_they_are = range(FIRST_OF_ETCD, FIRST_OF_ETCD + PORTS_OF_ETCD)
            first = FIRST_OF_ETCD if as_shown and all(map(is_free, as_they_are)) else free_run(PORTS_OF_ETCD)
            self.ports = {str(FIRST_OF_ETCD + number): str(first + number) for number in range(PORTS_OF_ETCD)}
        for shown in ports:
            if shown in self.ports:
                continue
            self.ports[shown] = shown if as_shown and is_free(int(shown)) else str(free_port(self.ports.values()))
        self.epmd_port = self.ports.get("4369") or str(free_port(self.ports.values()))
        self.host = socket.gethostname().partition(".")[0]
        self.directory = Path(tempfile.mkdtemp(prefix="five-servers-"))
        self.home = self.directory / ".home"
        self.home.mkdir()
        for entry in root.iterdir():
            if entry.name not in ("lab", ".git", *(() if as_shown else ("exercises",))) and not entry.name.startswith("build"):
                (self.directory / entry.name).symlink_to(entry)
        (self.directory / "build/bin").mkdir(parents=True)
        self.etcd = self.ports.get(str(FIRST_OF_ETCD), "0")
        for program in programs.iterdir():
            self.add_program(program)
        # Somebody who learns works at their own desk, and what they write stays.
        exercise = "" if as_shown else EXERCISE.format(build=programs.parent, port=self.ports.get("1234", "0"))
        self.add_script("lab", LAB.format(root=root, etcd=self.etcd, exercise=exercise))
        if solved:
            shutil.copytree(solved / "solution", self.directory / "exercises" / solved.name)

    def add_program(self, program):
        if re.match(r"\d\d_|echo_client$", program.name):
            # What is said later counts, so a page may name another port.
            self.add_script(f"build/bin/{program.name}", PROGRAM.format(program=program, port=self.ports.get("1234", "0"),
                                                                        etcd=self.etcd))
        else:
            (self.directory / "build/bin" / program.name).symlink_to(program)

    def add_script(self, name, text):
        path = self.directory / name
        path.write_text("#!/bin/bash\n" + text, encoding="utf-8")
        path.chmod(0o755)

    def environment(self):
        return {
            "HOME": str(self.home), "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8",
            "TERM": "dumb", "PS1": "$ ", "PS2": "> ", "SHELL": "/bin/bash", "USER": "reader",
            "ERL_EPMD_PORT": self.epmd_port, "ETCDCTL_ENDPOINTS": f"127.0.0.1:{self.etcd}",
            "TMPDIR": MEMORY if os.access(MEMORY, os.W_OK) else "/var/tmp",
        }

    def to_real(self, text, bindings):
        """What is typed for what a page shows: ports, this computer's name, process ids."""
        for (name, shown), (_, real) in bindings.items():
            if name == "process id":
                text = re.sub(rf"(?<![\w.:]){shown}(?![\w.:])", real, text)
        for shown, real in self.ports.items():
            text = re.sub(rf"\b{shown}\b", real, text)
        return text.replace("@host", "@" + self.host)

    def to_shown(self, text):
        for shown, real in self.ports.items():
            text = re.sub(rf"\b{real}\b", shown, text)
        return text.replace("@" + self.host, "@host").replace(str(self.directory), "~/five-servers")

    def remove(self):
        if shutil.which("epmd"):  # the first Erlang node has started one, for all that follow
            subprocess.run(["epmd", "-port", self.epmd_port, "-kill"], capture_output=True, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


# A program, whose default ports are the page's own.
PROGRAM = """
case " $* " in
*" --etcd "*) ;;
*" --engine etcd "*) set -- --etcd http://127.0.0.1:{etcd} "$@" ;;
esac
exec {program} --port {port} "$@"
"""

# What ./lab does on a page: the same programs, without looking each time whether they need to be built.
LAB = """
case $1 in
run)
    program=$(cd build/bin && echo "$2"*)
    if [ ! -x "build/bin/$program" ]; then cd {root} && exec ./lab --no-install "$@"; fi
    shift 2
    if [ "$1" = -- ]; then shift; fi
    exec "build/bin/$program" "$@" ;;
etcd)
    cd {root} && exec ./lab --no-install "$@" --port {etcd} ;;
supervise)
    file=$2
    shift 2
    if [ -e "04_supervised/otp/lab/scenarios/$file.scenario" ]; then file=04_supervised/otp/lab/scenarios/$file.scenario; fi
    exec build/bin/supervisor_lab "$file" "$@" ;;
{exercise}
*)
    cd {root} && exec ./lab --no-install "$@" ;;
esac
"""

EXERCISE = """
exercise)
    shift
    exec python3 docs/exercises/exercise.py --build-dir {build} --port {port} "$@" ;;
"""


def leave_no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Terminal:
    """One terminal. `row` is the first line of its screen that no page has shown yet."""

    def __init__(self, bench):
        self.shell = pexpect.spawn("/bin/bash", SHELL, env=bench.environment(), cwd=str(bench.directory),
                                   dimensions=(ROWS, COLUMNS), timeout=None, preexec_fn=leave_no_core)
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.row = 0
        self.is_open = True

    def receive(self):
        try:
            self.stream.feed(self.shell.read_nonblocking(65536, timeout=0))
        except (pexpect.EOF, pexpect.TIMEOUT):
            self.is_open = False

    def text_of(self, row):
        line = self.screen.buffer[row]
        return "".join(line[column].data for column in range(max(line, default=-1) + 1)).rstrip()

    def lines(self):
        """The lines that are whole, and not shown yet."""
        return [self.text_of(row) for row in range(self.row, self.screen.cursor.y)]

    def cursor_line(self):
        return self.text_of(self.screen.cursor.y)

    def is_at_shell(self):
        return self.cursor_line() + " " in ("$ ", INTERRUPTED) and self.screen.cursor.x == len(self.cursor_line()) + 1

    def type(self, text):
        self.shell.send(text)

    def press(self, key):
        self.shell.send(chr(ord(key) & 0x1F))


class Terminals:
    """All terminals of a page. None of them is kept waiting for us while we look at another."""

    def __init__(self, bench):
        self.bench = bench
        self.by_name = {}

    def get(self, name):
        if name not in self.by_name:
            self.by_name[name] = Terminal(self.bench)
            # What is sent before the shell reads is echoed twice, and seems to be done when it has not begun.
            self.wait(self.by_name[name].is_at_shell, START)
            self.by_name[name].shell.send("ulimit -c 0; clear() { :; }\n")
            self.wait(lambda: self.by_name[name].is_at_shell() and self.by_name[name].screen.cursor.y > 0, START)
            self.by_name[name].row = self.by_name[name].screen.cursor.y
        return self.by_name[name]

    def pump(self, seconds):
        open_ones = [terminal for terminal in self.by_name.values() if terminal.is_open]
        ready, _, _ = select.select([terminal.shell.child_fd for terminal in open_ones], [], [], seconds)
        for terminal in open_ones:
            if terminal.shell.child_fd in ready:
                terminal.receive()
        return bool(ready)

    def wait(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.pump(min(left, 0.1))
        return True

    def settle(self, seconds):
        """Reads on until nothing has come for so long."""
        end = time.monotonic() + 20 * seconds
        while self.pump(seconds) and time.monotonic() < end:
            pass

    def close(self):
        """Ends what still runs: as a person would, with ^C; then for good whatever belongs to our terminals."""
        for terminal in self.by_name.values():
            if not terminal.is_at_shell():
                terminal.press("C")
        self.wait(lambda: all(terminal.is_at_shell() or not terminal.is_open for terminal in self.by_name.values()), 2)
        for terminal in self.by_name.values():
            for process in processes_of_session(terminal.shell.pid):
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            terminal.shell.close(force=True)


def processes_of_session(session):
    listed = subprocess.run(["ps", "-o", "pid=", "-s", str(session)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]
