"""The windows of a lesson: a real shell in each, shown by tmux, and read by us as the tutorial's replay reads its own."""

import os
import select
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pyte
from terminal import COLUMNS, ROWS, START, Terminal, Terminals, processes_of_session

NARROW = 100  # columns: with fewer, one window at a time stands below the text
TEXT_PERCENT = 55  # of the columns, where there are more
BELOW_PERCENT = 40  # of the lines, for a window below the text; while one reads, the text has all
SHELL = ["/bin/bash", "--noprofile", "--noediting", "--rcfile"]
# Nothing is shown before somebody reads it: the shell waits for its gate. /bin/bash reads this before its first prompt.
RC = "read -r _ < {gate}\nulimit -c 0\nclear() {{ :; }}\nPS1='$ ' PS2='> '\n"

CONFIGURATION = """
set -g status-style bg=blue,fg=white
set -g status-left ' Five Servers '
set -g status-left-length 20
set -g status-right ' Ctrl-T: type it for me   Ctrl-G: to the text '
set -g status-right-length 60
set -g pane-border-status top
set -g pane-border-format ' #{pane_title} '
set -g history-limit 10000
set -g escape-time 20
set -g assume-paste-time 0
set-hook -g client-attached 'set -g destroy-unattached on'
set -g allow-rename off
set -g automatic-rename off
bind -n M-Up select-pane -U
bind -n M-Down select-pane -D
bind -n M-Left select-pane -L
bind -n M-Right select-pane -R
"""


class Tmux:
    """A tmux server of our own, which knows nothing of the person's settings and of their other sessions."""

    def __init__(self, socket):
        self.socket = socket

    def command(self, *words):
        return ["tmux", "-u", "-S", str(self.socket), *map(str, words)]

    def __call__(self, *words):
        """What it prints; nothing where it refuses."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        return done.stdout.strip() if done.returncode == 0 else None


class Window(Terminal):
    """One of them. What is typed there is the person's affair, and ours where they ask us to."""

    def __init__(self, bench, tmux, pane, name, pipe):  # pylint: disable=super-init-not-called
        self.bench, self.tmux, self.pane, self.name, self.pipe = bench, tmux, pane, name, pipe
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.row = 0
        self.is_open = True
        self.shell_pid = int(tmux("display-message", "-p", "-t", pane, "#{pane_pid}"))

    def receive(self):
        self.stream.feed(os.read(self.pipe, 65536))

    def type(self, text):
        self.tmux("send-keys", "-t", self.pane, "-l", "--", text.rstrip("\n"))
        if text.endswith("\n"):
            self.tmux("send-keys", "-t", self.pane, "Enter")

    def press(self, key):
        self.tmux("send-keys", "-t", self.pane, "-H", f"{ord(key) & 0x1F:x}")

    def has_ended(self):
        try:
            os.kill(self.shell_pid, 0)
            return False
        except ProcessLookupError:
            return True


class Windows(Terminals):
    """All of a lesson's windows, by name. `note` hears of each shell, for whoever has to clean up after us."""

    def __init__(self, bench, tmux, guide, note):
        super().__init__(bench)
        self.tmux, self.guide, self.note = tmux, guide, note
        self.is_narrow = self.columns() < NARROW
        self.below = ""  # whose window stands below the text, where that is narrow; the others wait elsewhere
        self.files = Path(bench.directory) / ".windows"
        self.files.mkdir()

    def get(self, name):
        if name in self.by_name and self.by_name[name].has_ended():
            self.forget(name)
        if name not in self.by_name:
            self.open(name)
        return self.by_name[name]

    def open(self, name):
        number = len(list(self.files.iterdir()))
        gate, pipe, rc = (self.files / f"{what}{number}" for what in ("gate", "pipe", "rc"))
        os.mkfifo(gate)
        os.mkfifo(pipe)
        rc.write_text(RC.format(gate=shlex.quote(str(gate))), encoding="utf-8")
        environment = [f"{key}={value}" for key, value in self.bench.environment().items()]
        shell = shlex.join(["env", "-i", *environment, *SHELL, str(rc)])
        pane = self.place(name, shell)
        # Both ends are ours: then reading never ends, nor waits for tmux.
        descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        window = Window(self.bench, self.tmux, pane, name, descriptor)
        self.by_name[name] = window
        self.note(session=window.shell_pid)
        self.tmux("pipe-pane", "-O", "-t", pane, f"exec cat > {shlex.quote(str(pipe))}")
        opened = os.open(gate, os.O_RDWR)  # both ends again, so that we need not wait for the shell to come to it
        os.write(opened, b"\n")
        self.wait(window.is_at_shell, START)
        os.close(opened)

    def bind_keys(self):
        """Those that are the guide's, in whatever window they are pressed."""
        self.tmux("bind-key", "-n", "C-t", "send-keys", "-t", self.guide, "C-t")
        self.tmux("bind-key", "-n", "C-g", "select-window", "-t", self.guide, "\\;", "select-pane", "-t", self.guide)

    def columns(self):
        return int(self.tmux("display-message", "-p", "-t", self.guide, "#{window_width}") or NARROW)

    def text_columns(self):
        """How many the text has beside the windows."""
        return self.columns() if self.is_narrow else self.columns() * TEXT_PERCENT // 100

    def place(self, name, shell):
        """Beside the text, below the other windows; where there is no room for one more, where one looks with Ctrl-B n."""
        here = ["-d", "-P", "-F", "#{pane_id}", "-c", str(self.bench.directory)]
        pane = None
        if not self.is_narrow:
            beside = [window.pane for window in self.by_name.values()]
            pane = self.tmux("split-window", *here, "-t", beside[-1] if beside else self.guide, "-v" if beside else "-h", shell)
        pane = pane or self.tmux("new-window", *here, "-n", name, shell)
        self.tmux("select-pane", "-t", pane, "-T", name)
        self.tmux("select-pane", "-t", self.guide)
        if self.is_narrow:
            return pane
        self.tmux("set-option", "-w", "-t", self.guide, "main-pane-width", f"{TEXT_PERCENT}%")
        self.tmux("select-layout", "-t", self.guide, "main-vertical")
        return pane

    def look_at(self, name=""):
        """Brings the keyboard to that window, or back to the text, and makes the window larger than the others."""
        pane = self.by_name[name].pane if name else self.guide
        if self.is_narrow:
            self.show_below(name)
        self.tmux("select-window", "-t", pane)
        self.tmux("select-pane", "-t", pane)
        if self.is_narrow:
            return
        if name and len(self.by_name) > 2:
            self.tmux("select-layout", "-t", self.guide, "main-vertical")
            self.tmux("resize-pane", "-t", pane, "-y", "40%")

    def show_below(self, name):
        """That window below the text; none: the text alone."""
        is_alone = self.tmux("display-message", "-p", "-t", self.guide, "#{window_zoomed_flag}") == "1"
        if is_alone == bool(name):
            self.tmux("resize-pane", "-Z", "-t", self.guide)  # to and fro
        if not name:
            return
        if name != self.below:
            if self.below in self.by_name:
                self.tmux("break-pane", "-d", "-n", self.below, "-s", self.by_name[self.below].pane)
            self.tmux("join-pane", "-d", "-v", "-s", self.by_name[name].pane, "-t", self.guide)
            self.below = name
        self.tmux("resize-pane", "-t", self.by_name[name].pane, "-y", f"{BELOW_PERCENT}%")

    def pump(self, seconds, besides=()):
        """Reads what has come. Returns whether anything has, or one of `besides` can be read."""
        pipes = {window.pipe: window for window in self.by_name.values()}
        ready, _, _ = select.select([*pipes, *besides], [], [], seconds)
        for pipe in ready:
            if pipe in pipes:
                pipes[pipe].receive()
        return bool(ready)

    def forget(self, name):
        window = self.by_name.pop(name)
        if name == self.below:
            self.below = ""
        os.close(window.pipe)
        self.tmux("kill-pane", "-t", window.pane)

    def close(self):
        """Ends what still runs: as a person would, with ^C; then for good whatever belongs to our windows."""
        for window in self.by_name.values():
            if not window.is_at_shell():
                window.press("C")
        self.wait(lambda: all(window.is_at_shell() or window.has_ended() for window in self.by_name.values()), 2)
        for window in self.by_name.values():
            end_session(window.shell_pid)
        for name in list(self.by_name):
            self.forget(name)


def end_session(session):
    for process in processes_of_session(session):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def ended(process, seconds):
    """Whether that process, which is not our child, has ended within so long."""
    until = time.monotonic() + seconds
    while True:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.02)
