"""Compares what a page shows with what came. The replay and the mutation check both judge by this, and nothing else."""

import re
from collections import defaultdict
from dataclasses import dataclass

# What differs from run to run, wherever it stands. Nothing else may, unless the comment above a block says so.
# A value that is bound stands for one real value on the whole page: process 4711 stays process 4711.
VARYING = [
    # name, pattern, bound
    ("process id", r"(?<=\bpid[ =])\d+|(?<=^\[\d\] )\d+$|(?<=\"pid\":)\d+", True),
    ("client's port", r"(?<=127\.0\.0\.1:)\d{5}\b|(?<=\[::1\]:)\d{5}\b", True),
    ("time", r"\b(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d(\.\d+)?Z?", False),
    ("core", r" \(core dumped\)", False),
]
# Who speaks, at the beginning of a line of the story: with `order: each speaker`, each one's lines keep their order. In a
# chat, what is said of the rooms is said by the node itself, and all else by the rooms.
SPEAKER = re.compile(r"^(\^.)?((worker|acceptor|handler|guest|link) \d+ )*(server|The rooms|((worker|acceptor|handler) \d+))?")


@dataclass
class Difference:
    line: int
    expected: str
    got: str

    def show(self, page):
        return f"{page}:{self.line}: differs\n  expected: {self.expected}\n  got:      {self.got}"


class Rules:
    """The patterns that count for one block."""

    def __init__(self, block=None):
        facts = block.facts if block else {}
        self.by_speaker = facts.get("order") == ["each speaker"]
        # What the page says may vary comes first: a process id in it is bound to nothing.
        self.patterns = [("vary", re.compile(pattern), False) for pattern in facts.get("vary", [])]
        self.patterns += [(name, re.compile(pattern), bound) for name, pattern, bound in VARYING]
        self.ranges = [read_range(text) for text in facts.get("range", [])]
        self.may_come = [re.compile(pattern) for pattern in facts.get("may come", [])]

    def take_apart(self, text):
        """The line without what may vary, and the values that stood there, in the order of the patterns."""
        values = []
        for pattern, low, high in self.ranges:
            for found in pattern.finditer(text):
                if not low <= float(found.group(1).replace(",", "")) <= high:
                    return text, []  # a figure out of its range is compared as what it is
            text = pattern.sub("‹figure›", text)
        for name, pattern, bound in self.patterns:
            if bound:
                values += [(name, found.group()) for found in pattern.finditer(text)]
            text = pattern.sub("" if name == "core" else f"‹{name}›", text)
        return text, values

    def is_optional(self, line):
        """Whether this line may come or not: one version of a program says it, and another does not."""
        return any(pattern.fullmatch(line) for pattern in self.may_come)

    def rows_of(self, lines, count):
        """How many of these lines hold `count` that count: all of them, where there are fewer."""
        rows = [row for row, line in enumerate(lines, 1) if not self.is_optional(line)]
        return 0 if count == 0 else rows[count - 1] if count <= len(rows) else len(lines)


def read_range(text):
    """`PATTERN in LOW..HIGH`: the pattern's first group is a number between the two."""
    pattern, _, bounds = text.rpartition(" in ")
    low, _, high = bounds.partition("..")
    return re.compile(pattern), float(low), float(high)


def is_same(expected, got, rules, bindings):
    """Whether one line is as expected; if so, `bindings` learns which real values its varying ones stand for."""
    expected, shown = rules.take_apart(expected.rstrip())
    got, real = rules.take_apart(got.rstrip())
    if expected != got or len(shown) != len(real):
        return False
    if any(bindings.get(one, other) != other for one, other in zip(shown, real)):
        return False
    bindings.update(zip(shown, real))
    return True


def compare(expected, got, rules, bindings):
    """`expected`: pairs of line number and text; `got`: as many lines as came. Returns the differences."""
    got = [line for line in got if not rules.is_optional(line)]
    if rules.by_speaker:
        return list(compare_by_speaker(expected, got, rules, bindings))
    return list(compare_in_order(expected, got, rules, bindings))


def compare_in_order(expected, got, rules, bindings):
    for number, (line, text) in enumerate(expected):
        if number >= len(got):
            yield Difference(line, text, "nothing more")
            return
        if not is_same(text, got[number], rules, bindings):
            yield Difference(line, text, got[number])
            return  # what follows a difference is compared with the wrong lines
    if len(got) > len(expected):
        yield Difference(expected[-1][0] if expected else 0, "nothing more", got[len(expected)])


def compare_by_speaker(expected, got, rules, bindings):
    shown, came = defaultdict(list), defaultdict(list)
    for line, text in expected:
        shown[SPEAKER.match(text).group()].append((line, text))
    for text in got:
        came[SPEAKER.match(text).group()].append(text)
    for speaker, lines in shown.items():
        yield from compare_in_order(lines, came.pop(speaker, []), rules, bindings)
    for lines in came.values():
        yield Difference(expected[-1][0] if expected else 0, "nothing more", lines[0])
