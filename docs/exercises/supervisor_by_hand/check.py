"""Kills workers, as often as is bearable, and once more."""

import contextlib
import os
import pathlib
import re
import select
import signal
import subprocess
import time

from checking import DEADLINE, SUBJECT, Wrong, must_wait_quietly, run, step

LONG = 60  # seconds: a period in which all of a check's deaths count
SHORT = 1  # and one that can be waited for


def alive(pid):
    """Not as a zombie either."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


class Supervisor:
    def __init__(self, most, period):
        self.did = f"supervisor {most} {period}"
        # A session of its own: nobody whom it leaves behind outlives the check.
        self.process = subprocess.Popen([SUBJECT, str(most), str(period)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, start_new_session=True)
        self.workers = {}  # by number, the process ids
        self.come = b""
        self.started(1, "that worker 1 is started")
        self.started(2, "that worker 2 is started")

    def line(self, awaited, hint=""):
        until = time.monotonic() + DEADLINE
        while b"\n" not in self.come:
            ready = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]
            data = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not data:
                got = "the supervisor has ended" if ready else f"nothing more within {DEADLINE:.0f} s"
                raise Wrong(awaited, got, hint, self.did)
            self.come += data
        line, _, self.come = self.come.partition(b"\n")
        return line.decode("utf-8", "replace")

    def started(self, number, awaited, hint=""):
        while True:
            line = self.line(awaited, hint)
            found = re.fullmatch(r"worker (\d+) is process (\d+)", line)
            if line == "gives up" or (found and int(found[1]) != number):
                raise Wrong(awaited, f'"{line}"', hint, self.did)
            if found:
                self.workers[number] = int(found[2])
                return

    def kill(self, number):
        self.did += f"; kill worker {number}"
        os.kill(self.workers[number], signal.SIGKILL)

    def must_restart(self, number, hint=""):
        self.kill(number)
        self.started(number, f"that worker {number} is started again", hint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@step("a worker that dies is started again, alone")
def restart():
    with Supervisor(5, LONG) as supervisor:
        other = supervisor.workers[2]
        supervisor.must_restart(1, "waitpid says who it was: start(number) again.")
        supervisor.must_restart(1)
        if not alive(other):
            raise Wrong("that worker 2 lives on", "it has ended", "one_for_one: the others do not notice.")
        supervisor.must_restart(2, "Either of them may die.")


@step("it takes the zombies away, and waits quietly")
def quiet():
    with Supervisor(5, LONG) as supervisor:
        dead = supervisor.workers[1]
        supervisor.must_restart(1)
        if pathlib.Path(f"/proc/{dead}").exists() and not alive(dead):
            raise Wrong("that the dead one is taken away", "it is a zombie", "waitpid takes it away.")
        must_wait_quietly(supervisor.process, "that the supervisor sleeps while nobody dies",
                          "waitpid without WNOHANG waits.")


@step("one death too many: it gives up, and leaves nobody behind")
def gives_up():
    with Supervisor(2, LONG) as supervisor:
        supervisor.must_restart(1, "Two deaths are bearable here.")
        supervisor.must_restart(2, "Two deaths are bearable here, whoever it was.")
        supervisor.kill(1)
        while (line := supervisor.line("gives up", "Count the deaths, of both workers together.")) != "gives up":
            if line.startswith("worker 1 is"):
                raise Wrong('"gives up", at the third death where two are bearable', f'"{line}"', did=supervisor.did)
        try:
            status = supervisor.process.wait(DEADLINE)
        except subprocess.TimeoutExpired as error:
            raise Wrong("that it ends", f"it still runs after {DEADLINE:.0f} s", did=supervisor.did) from error
        if status != 1:
            raise Wrong("the exit status 1", str(status), did=supervisor.did)
        if alive(supervisor.workers[2]):
            raise Wrong("that worker 2 has ended, too", "it lives on, and nobody supervises it",
                        "Before it gives up: kill and waitpid the other one.", supervisor.did)


@step("a death that is long ago does not count")
def window():
    with Supervisor(1, SHORT) as supervisor:
        supervisor.must_restart(1)
        supervisor.did += f"; wait {SHORT} s"
        time.sleep(SHORT * 1.2)
        supervisor.must_restart(1, "Take off the old ones before you count.")


run()
