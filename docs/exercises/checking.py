"""What the checks of the exercises share: a program under test, its clients, and words for what is wrong.

A check is a file with steps, in order; each is told as it passes, and the first that does not ends the check:

    @step("a line comes back")
    def echoes():
        with Server(SUBJECT) as server:
            client = server.connect()
            client.send("hello\\n")
            client.expect("hello\\n")

    run()

Every wait is bounded by DEADLINE, which is generous: only what is wrong takes that long. Sockets only on loopback.
"""

import os
import pathlib
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

DEADLINE = 10.0  # for what must happen
PAUSE = 0.3  # how long we listen for what must not happen
WATCHED = 1.0  # seconds in which nothing happens, so that nothing may be used
MOST_CPU = 0.05  # seconds of those: busy waiting takes all that there is, even among many other programs
SUBJECT = sys.argv[1]  # the student's program, or script


def program(name):
    """One of the repository's own."""
    path = pathlib.Path(os.environ["FIVE_PROGRAMS"]) / name
    if not path.exists():
        sys.exit(f"{name} has not been built: ./lab build")
    return str(path)


class Wrong(Exception):
    """What a student needs to see it. `hint`: what this symptom usually comes from."""

    def __init__(self, expected, got, hint="", did=""):
        super().__init__(expected, got)
        self.expected, self.got, self.hint, self.did = expected, got, hint, did


def visible(data, most=120):
    """Bytes made readable, and cut."""
    if isinstance(data, bytes):
        data = data.decode("utf-8", "backslashreplace")
    shown = "".join(c if c.isprintable() else {"\n": "\\n", "\r": "\\r"}.get(c, f"\\x{ord(c):02x}") for c in data)
    return f'"{shown}"' if len(shown) <= most else f'"{shown[:most]}…" ({len(data)} characters)'


def cpu_seconds(process):
    """What it has used of the processor so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def must_wait_quietly(process, expected, hint=""):
    """Nothing happens for a while: then it may not use the processor."""
    before, then = cpu_seconds(process), time.monotonic()
    time.sleep(WATCHED)
    used, watched = cpu_seconds(process) - before, time.monotonic() - then
    if used > MOST_CPU:
        raise Wrong(expected, f"it used the processor for {used:.2f} of {watched:.2f} s", hint)


class Client:
    """A TCP client, blocking, with deadlines. What it has sent last stands in what it complains of."""

    def __init__(self, port, receive_buffer=0, hint=""):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE)
        self.come = b""
        self.sent = b""
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError as error:
            raise Wrong("that a client can connect", str(error), hint) from error

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.sent = data
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Wrong("that the server reads what is sent", str(error), did=visible(data)) from error

    def did(self):
        """What has been sent last, in words."""
        return visible(self.sent) if self.sent else ""

    def _more(self):
        """Reads once: False at the end of the stream."""
        data = self.socket.recv(65536)
        self.come += data
        return bool(data)

    def line(self, awaited, hint=""):
        """The next line, with its end. `awaited` says what for."""
        until = time.monotonic() + DEADLINE
        while b"\n" not in self.come:
            try:
                self.socket.settimeout(max(0.01, until - time.monotonic()))
                more = self._more()
            except TimeoutError as error:
                got = f"nothing more within {DEADLINE:.0f} s" + (f" after {visible(self.come)}" if self.come else "")
                raise Wrong(awaited, got, hint, self.did()) from error
            except OSError as error:
                raise Wrong(awaited, f"the connection is lost: {error}", hint, self.did()) from error
            if not more:
                got = "the connection was closed" + (f" after {visible(self.come)}" if self.come else "")
                raise Wrong(awaited, got, hint, self.did())
        end = self.come.index(b"\n") + 1
        line, self.come = self.come[:end], self.come[end:]
        return line

    def expect(self, line, hint=""):
        line = line.encode() if isinstance(line, str) else line
        got = self.line(visible(line), hint)
        if got != line:
            raise Wrong(visible(line), visible(got), hint, self.did())

    def silence(self, why, seconds=PAUSE, hint=""):
        """Nothing comes for a moment, because `why`."""
        if not self.come and select.select([self.socket], [], [], seconds)[0]:
            try:
                self._more()
                what = visible(self.come) if self.come else "the connection was closed"
            except OSError as error:
                what = f"the connection is lost: {error}"
            raise Wrong(f"nothing: {why}", what, hint, self.did())
        if self.come:
            raise Wrong(f"nothing: {why}", visible(self.come), hint, self.did())

    def ends(self, why, within=DEADLINE, hint=""):
        """The server closes; what comes before that is read away. Returns how many bytes that was."""
        until = time.monotonic() + within
        size = 0
        try:
            while True:
                self.socket.settimeout(max(0.01, until - time.monotonic()))
                size += len(self.come)
                self.come = b""
                if not self._more():
                    return size
                if time.monotonic() > until:
                    raise TimeoutError
        except TimeoutError as error:
            raise Wrong(f"that the server closes: {why}", f"the connection is still open after {within:.1f} s", hint,
                        self.did()) from error
        except ConnectionError:
            return size

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Server:
    """The program under test, started with port 0; it tells its real port in its first line."""

    fate = ""  # of the one that ran last: how it ended, if we did not end it

    def __init__(self, *command, arguments=("0",), most_files=0):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))) if most_files else None
        self.process = subprocess.Popen([*command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        preexec_fn=limit)
        first = b""
        until = time.monotonic() + DEADLINE
        while not first.endswith(b"\n"):
            ready = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]
            byte = os.read(self.process.stdout.fileno(), 1) if ready else b""
            if not byte:
                break
            first += byte
        start = b"Listening on 127.0.0.1:"
        if not first.startswith(start):
            self.stop()
            raise Wrong("Listening on 127.0.0.1:PORT as the first line", visible(first) if first else self.ending())
        self.port = int(first[len(start):])

    def connect(self, **how):
        return Client(self.port, hint=self.ending(), **how)

    def ending(self):
        """How it ended, if it has."""
        try:
            status = self.process.wait(0.05)
        except subprocess.TimeoutExpired:
            return ""
        how = f"by the signal {signal.Signals(-status).name}" if status < 0 else f"with the exit status {status}"
        return f"the server has ended, {how}"

    def must_run(self, hint=""):
        if self.ending():
            raise Wrong("that the server goes on", self.ending(), hint)

    def must_wait_quietly(self, expected, hint=""):
        must_wait_quietly(self.process, expected, hint)

    def stop(self):
        Server.fate = self.ending()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


STEPS = []


def step(what):
    def add(function):
        STEPS.append((what, function))
        return function
    return add


def tell(what, wrong):
    print(f"  FAIL  {what}")
    for label, text in (("sent", wrong.did), ("expected", wrong.expected), ("got", wrong.got), ("hint", wrong.hint)):
        if text:
            print(f"        {label:9} {text}")
    if Server.fate and Server.fate not in (wrong.got, wrong.hint):
        print(f"        {'besides':9} {Server.fate}")


def run():
    for what, function in STEPS:
        try:
            function()
        except Wrong as wrong:
            tell(what, wrong)
            sys.exit(1)
        except (OSError, subprocess.SubprocessError, UnicodeError) as error:
            # What a program can do to whoever talks to it, and no wait has expected.
            tell(what, Wrong("that nothing comes between", f"{type(error).__name__}: {error}"))
            sys.exit(1)
        except Exception:  # pylint: disable=broad-except
            print(f"  ???   {what}\n        The check itself is wrong here, and not your program. Please report this:",
                  flush=True)
            traceback.print_exc(file=sys.stdout)
            sys.exit(3)
        print(f"  ok    {what}", flush=True)
