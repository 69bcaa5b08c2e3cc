"""What the checks of trees of supervisors share: they play the student's tree with events of their own."""

import re
import subprocess
import tempfile

from checking import DEADLINE, SUBJECT, Wrong, program


def tree():
    """The student's tree, without the events that they play it with."""
    lines = []
    for line in open(SUBJECT, encoding="utf-8"):
        if re.match(r"(at|when)\s", line):
            break
        lines.append(line)
    return "".join(lines)


class Played:
    """What the supervisors did: lines of (seconds, who, what)."""

    def __init__(self, events):
        self.events = events
        with tempfile.NamedTemporaryFile("w", suffix=".scenario") as file:
            file.write(tree() + "\n" + "".join(f"{event}\n" for event in events))
            file.flush()
            done = subprocess.run([program("supervisor_lab"), file.name], text=True, capture_output=True,
                                  timeout=DEADLINE, check=False)
        if done.returncode != 0:
            raise Wrong("a tree that the supervisor lab can read", done.stderr.strip().split(":", 1)[-1])
        story, _, self.end = done.stdout.partition("\nThe tree in the end:\n")
        self.story = [(float(time), who, what) for time, who, what in
                      (line.split(None, 2) for line in story.splitlines() if line.strip())]

    def lives(self, child):
        """How often it was started."""
        return sum(1 for _, _, what in self.story if re.fullmatch(rf"starts {child}#\d+", what))

    def order(self, pattern, after):
        """The children that the pattern names, in order, from that second on."""
        found = (re.fullmatch(pattern, what) for time, _, what in self.story if time >= after)
        return [match[1] for match in found if match]

    def wrong(self, expected, got, hint=""):
        return Wrong(expected, got, hint, did="; ".join(self.events))

    def must_have_lives(self, child, number, hint=""):
        if self.lives(child) != number:
            raise self.wrong(f"that {child} is started {times(number)}", f"it was started {times(self.lives(child))}",
                             hint)

    def must_run(self, child, hint=""):
        if not re.search(rf"^ +{child}  .*running", self.end, flags=re.M):
            raise self.wrong(f"that {child} runs in the end", "the tree in the end: " +
                             "; ".join(self.end.strip().splitlines()), hint)

    def is_over(self):
        return re.match(r"\w+  over", self.end) is not None


def times(number):
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
