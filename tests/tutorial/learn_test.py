#!/usr/bin/python3
"""Tests ./lab learn in a real terminal: somebody goes through a chapter, predicts wrongly, mistypes, leaves and comes back.
learn_test.py [CHAPTER...]: of these chapters instead that whoever only agrees comes to their end."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = os.environ.get("FIVE_PROGRAMS", str(ROOT / "build/bin"))
SKIPPED = 77
sys.path.insert(0, str(ROOT / "docs/learn"))

try:
    import pexpect
    import pyte
    import show
    from compare import Rules
    from guide import match
except ModuleNotFoundError as missing:
    print(f"Skipped: no {missing.name} for python3 here; ./lab test installs it")
    sys.exit(SKIPPED)
for needed in ("tmux", "telnet"):
    if not shutil.which(needed):
        print(f"Skipped: no {needed} on this machine; ./lab test installs it")
        sys.exit(SKIPPED)

COLUMNS, ROWS = 160, 60
TEXT = COLUMNS * 55 // 100 - 2
SMALL = (80, 24)  # columns and rows: the window stands below the text
DEADLINE = 60  # for anything that must happen: on a busy machine, too
CTRL_T, ENTER, CTRL_C, CTRL_BRACKET, ALT_UP, ALT_DOWN = "\x14", "\r", "\x03", "\x1d", "\033[1;3A", "\033[1;3B"


class Person:
    """Somebody at a terminal. `said`: the last lines of the text; windows stand to the right of it, or below."""

    def __init__(self, place, *words, size=(COLUMNS, ROWS)):
        environment = {"HOME": str(place), "XDG_STATE_HOME": str(place / "state"), "TMPDIR": str(place / "tmp"),
                       "PATH": os.environ["PATH"], "TERM": "linux", "LC_ALL": "C.UTF-8"}  # pyte knows no more
        self.terminal = pexpect.spawn(str(ROOT / "docs/learn/learn.py"), [*words, "--programs", PROGRAMS], env=environment,
                                      dimensions=(size[1], size[0]), timeout=DEADLINE)
        self.screen = pyte.Screen(*size)
        self.stream = pyte.ByteStream(self.screen)
        self.ended = False
        # Seconds without a sign after which all has been drawn: where windows come and go it is drawn in several strokes.
        self.quiet = 0.005 if size[0] == COLUMNS else 0.3

    def lines(self):
        rows = self.screen.display[:-1]
        if self.screen.columns < COLUMNS:
            rows = rows[:next((row for row in range(1, len(rows)) if re.match("── [^─]", rows[row])), len(rows))]
        return [line[:TEXT].strip() for line in rows if line[:TEXT].strip()]

    def said(self):
        return " ".join(" ".join(self.lines()).split())

    def read(self, seconds):
        if not select.select([self.terminal.child_fd], [], [], seconds)[0]:
            return False
        try:
            self.stream.feed(self.terminal.read_nonblocking(65536, timeout=0))
        except pexpect.EOF:
            self.ended = True
        return not self.ended

    def until(self, condition):
        end = time.monotonic() + DEADLINE
        while not condition():
            if self.ended or time.monotonic() > end:
                raise AssertionError("this did not come; the screen:\n" + "\n".join(self.screen.display))
            self.read(0.1)
        return self

    def until_said(self, text):
        return self.until(lambda: text in self.said())

    def is_asked(self):
        """What the text waits for: "Enter", "choice", what is to be typed, or nothing yet."""
        lines = self.lines()
        if not lines:
            return ""
        last = lines[-1]
        if last.endswith("q: leave]"):
            return "Enter" if "Enter" in last else "choice"
        asked = [number for number, line in enumerate(lines) if re.match(r"▶ [^:]+: (type|press)$", line)]
        following = lines[asked[-1] + 1:] if asked else []
        # What came is followed by a mark; a line that is too long for the window goes on in the next one.
        return "" if any(line[0] in "✓✗▷" for line in following) else " ".join(following)

    def do(self, keys):
        before = self.said()
        self.terminal.send(keys)
        return self.until(lambda: self.ended or self.said() != before)

    def go(self, target=None):
        """Goes on, and lets everything be typed, until `target` is asked for, or to the end."""
        end = time.monotonic() + 4 * DEADLINE
        while time.monotonic() < end:
            while self.read(self.quiet):
                pass
            if self.ended:
                return self
            asked = self.is_asked()
            if asked and asked == target:
                return self
            if asked:
                self.do({"Enter": ENTER, "choice": "A"}.get(asked, CTRL_T))
            else:
                self.read(0.1)
        raise AssertionError("no end; the screen:\n" + "\n".join(self.screen.display))

    def end(self):
        self.until(lambda: self.ended or not self.read(0.1) and not self.terminal.isalive() or self.ended)
        self.terminal.close()
        return self.terminal.exitstatus


class Lesson(unittest.TestCase):
    def setUp(self):
        self.place = Path(tempfile.mkdtemp(prefix="five-lt-"))
        (self.place / "tmp").mkdir()
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)

    def ours(self):
        """What still runs of a lesson: everything that it starts knows the directory of this test."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                known = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self.place).encode() in known:
                found.append(known.decode(errors="replace"))
        return found

    def assert_nothing_is_left(self):
        end = time.monotonic() + DEADLINE
        while (self.ours() or list((self.place / "tmp").iterdir())) and time.monotonic() < end:
            select.select([], [], [], 0.02)
        self.assertEqual(self.ours(), [])
        self.assertEqual(list((self.place / "tmp").iterdir()), [])

    def listed(self):
        return subprocess.run([ROOT / "docs/learn/learn.py", "--list"], capture_output=True, text=True, check=True,
                              env={**os.environ, "XDG_STATE_HOME": str(self.place / "state")}).stdout

    def test_a_wrong_prediction_a_mistyped_line_and_a_pause(self):
        person = Person(self.place, "1").go("./lab run 01")
        person.terminal.send(ENTER)
        person.until_said("Only Enter has come, and the page has “./lab run 01”")
        person.terminal.send("cat\r")  # it reads, and would read all that is typed below
        person.until_said("“cat” has come, and the page has “./lab run 01”").until_said("A program runs in this window now")
        person.terminal.send("./lab r" + CTRL_T)
        person.until_said("✓ All 4 lines came as on the page").go("hello")
        person.terminal.send("helo\r")
        person.until_said("“helo” has come, and the page has “hello”").until_said("Up to “hel” it is right")
        person.terminal.send("hello\r")
        person.until_said("ECHO hello ✓ It came as on the page.")
        person.go("choice").until_said("A Telnet says connection refused")
        person.do("x")
        person.until_said("One of A, B, C, D.")
        person.do("a")
        person.until_said("You say A. We shall see.").go("me too")
        person.terminal.send("\x07q")
        self.assertEqual(person.end(), 0, person.screen.display)
        self.assert_nothing_is_left()
        self.assertRegex(self.listed(), r"01_naive .* at: The experiment: Ben comes too\n")

        person = Person(self.place)  # the one that was begun is the next one
        person.until_said("I bring the windows to where you were").go("Enter")
        for _ in range(10):  # the answer stands a few pieces further down
            if "You said A" in person.said():
                break
            person.do(ENTER)
            person.go("Enter")
        person.until_said("✗ You said A: Telnet says connection refused.").until_said("✓ D is right: ")
        person.go()
        self.assertEqual(person.end(), 0, person.screen.display)
        self.assertRegex(self.listed(), r"01_naive .* done\n(.*\n)*\nNext: ./lab learn 02_")
        self.assert_nothing_is_left()

    def test_on_a_small_terminal_the_window_stands_below_what_is_said_of_it(self):
        person = Person(self.place, "1", size=SMALL).go("./lab run 01")
        person.terminal.send("./lab runn 01" + ENTER)
        person.until_said("Up to “./lab run” it is right.").until(lambda: any(
            line.startswith("$ ./lab runn 01") for line in person.screen.display))
        person.do(CTRL_T)
        person.go("Ctrl-]")
        person.terminal.send(CTRL_BRACKET)
        person.until(lambda: person.is_asked() == "quit")
        person.terminal.send(ENTER)  # telnet goes back to the connection
        person.until_said("Only Enter has come, and the page has “quit”. With a line of no words, telnet goes back")
        person.terminal.send("quit" + ENTER)
        person.until_said("“quit” is right, but it came where something else listens.")
        person.terminal.send(CTRL_BRACKET)
        person.until(lambda: person.screen.display[person.screen.cursor.y].startswith("telnet>"))
        person.terminal.send("quit" + ENTER)
        person.until_said("Connection closed. ✓ It came as on the page.")
        person.go("Enter").do(CTRL_C)
        person.until_said("Enter goes on, q leaves.").do("q")
        self.assertEqual(person.end(), 0, person.screen.display)
        self.assert_nothing_is_left()

    def test_what_was_ended_or_closed_by_mistake_is_said_and_can_be_begun_again(self):
        person = Person(self.place, "1").go("hello")
        person.terminal.send(ALT_UP + CTRL_C)
        person.until_said("Start it again: in server's window (“./lab run 01”), then in Ann's window (“telnet 127.0.0.1 1234”)")
        person.terminal.send(ALT_DOWN + "exit" + ENTER)
        person.until_said("Ann's window was closed: with exit, or with Ctrl-D at the shell. Here is a new one.")
        person.terminal.send(ALT_UP + "./lab run 01" + ENTER)
        person.until(lambda: sum("server waits for client" in line[TEXT:] for line in person.screen.display) > 1)
        person.terminal.send(ALT_DOWN + "telnet 127.0.0.1 1234" + ENTER)
        person.until_said("✓ It runs again. Now type the line.")
        person.terminal.send(CTRL_C + "hello" + ENTER)
        person.until_said("ECHO hello ✓ It came as on the page.")
        person.terminal.send("\x07q")
        self.assertEqual(person.end(), 0, person.screen.display)
        self.assert_nothing_is_left()

    def test_whoever_is_killed_leaves_nothing_running(self):
        person = Person(self.place, "1").go("hello")
        self.assertNotEqual(self.ours(), [])
        os.kill(person.terminal.pid, signal.SIGKILL)
        person.terminal.close()
        self.assert_nothing_is_left()

    def test_without_a_terminal_it_says_so(self):
        done = subprocess.run([ROOT / "docs/learn/learn.py", "1"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("for somebody at a terminal", done.stderr)

    def test_there_is_no_such_chapter(self):
        done = subprocess.run([ROOT / "docs/learn/learn.py", "9"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no chapter 9; there are: 01_naive 02_", done.stderr)


class Comparing(unittest.TestCase):
    def places(self, expected, got, rules=None):
        return match([(0, line) for line in expected], got, rules or Rules(), {})[0]

    def test_other_lines_may_stand_between(self):
        self.assertEqual(self.places(["a", "b"], ["x", "a", "x", "b"]), [1, 3])
        self.assertEqual(self.places(["a", "b", "c"], ["a", "c"]), [0, None, 1])
        self.assertEqual(self.places(["a", "b"], ["b", "a"]), [1, None])
        self.assertEqual(self.places(["a", "a"], ["a"]), [0, None])

    def test_speakers_may_come_in_any_order(self):
        rules = Rules()
        rules.by_speaker = True
        lines = ["handler 1 a", "handler 2 b", "handler 1 c"]
        self.assertEqual(self.places(lines, ["handler 2 b", "handler 1 a", "handler 1 c"], rules), [1, 0, 2])
        self.assertEqual(self.places(lines, ["handler 1 c", "handler 1 a"], rules), [1, None, None])

    def test_what_a_line_stands_for_is_learnt(self):
        learnt = match([(0, "started with pid 1")], ["started with pid 23"], Rules(), {})[1]
        self.assertEqual(learnt, {("process id", "1"): ("process id", "23")})


class Showing(unittest.TestCase):
    def plain(self, text, width=30):
        return [show.MARKS.sub("", line) for line in show.markdown(text.splitlines(), width)]

    def test_text_is_filled_and_marks_are_taken_out(self):
        self.assertEqual(self.plain("*20 minutes. See\n[the start page](README.md)*, `a * b`\nand **more** text."),
                         ["20 minutes. See the start", "page, a * b and more text."])

    def test_lists_and_tables(self):
        self.assertEqual(self.plain("- one\n  two\n- three"), ["• one two", "• three"])
        self.assertEqual(self.plain("| a | b |\n| --- | --- |\n| long | c |"), ["a     b", "long  c"])


def agree(chapters):
    """Goes through these chapters. What came otherwise than on the page is printed."""
    for chapter in chapters:
        lesson = Lesson()
        lesson.setUp()
        began = time.monotonic()
        person = Person(lesson.place, chapter)
        seen = set()
        read = person.read

        def watching(seconds, person=person, seen=seen, read=read):
            came = read(seconds)
            for line in person.lines():
                if line.startswith("✗ ") and line not in seen and not line.startswith("✗ You said"):
                    seen.add(line)
                    print("\n".join(person.screen.display))
            return came

        person.read = watching
        person.go()
        print(f"{chapter}: exit {person.end()}, {time.monotonic() - began:.0f} s, {len(seen)} differences")
        lesson.assert_nothing_is_left()
        lesson.doCleanups()


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1][0] != "-":
        agree(sys.argv[1:])
    else:
        unittest.main()
