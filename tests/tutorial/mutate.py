"""The mutation check: a page that says something else must be found wrong, at that line, by the same comparing code."""

from dataclasses import dataclass, replace

import sources
from compare import Rules, compare


@dataclass
class Tally:
    blocks: int = 0  # checked by running or by comparing
    mutated: int = 0  # of them, blocks in which at least one line was changed
    changes: int = 0  # lines changed, one at a time
    caught: int = 0


def changed(text, rules=None):
    """The line with one letter changed: the last one that does not vary. A line without such a letter gets one."""
    for place in range(len(text) - 1, -1, -1):
        if text[place].isalpha() and text[place].isascii():
            other = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1:]
            if rules is None or rules.take_apart(other)[0] != rules.take_apart(text)[0]:
                return other
    return text + "q"


def check(page, records, root):
    """Returns the tally, and the changes that nobody noticed."""
    tally, missed = Tally(), []
    for block in page.of_kind("terminal"):
        tally.blocks += 1
        of_block = [record for record in records if record.block is block]
        note(tally, missed, page, list(mutate_console(of_block)))
    for block in page.of_kind("source", "diff"):
        tally.blocks += 1
        note(tally, missed, page, list(mutate_quote(block, page, root)))
    return tally, missed


def note(tally, missed, page, tried):
    tally.mutated += bool(tried)
    for line, text, differences in tried:
        tally.changes += 1
        caught = any(found.line == line and found.expected == text and f"{page.name}:{line}" in found.show(page.name)
                     for found in differences)
        tally.caught += caught
        if not caught:
            missed.append(f"{page.name}:{line}: nobody notices that this line says: {text}")


def mutate_console(records):
    """Each line of output changed, one at a time. A block that shows none gets a line that never came."""
    if not any(record.step.output for record in records):
        record = records[-1]
        line = record.step.line + 1
        yield judge(record, record.step.expected + [(line, "q")], line, "q")
    for record in records:
        for number in range(record.step.echoes, len(record.step.expected)):
            line, text = record.step.expected[number]
            expected = list(record.step.expected)
            expected[number] = (line, changed(text, Rules(record.block)))
            yield judge(record, expected, *expected[number])


def judge(record, expected, line, text):
    return line, text, compare(expected, record.got, Rules(record.block), dict(record.bindings))


def mutate_quote(block, page, root):
    for number, text in enumerate(block.lines):
        lines = list(block.lines)
        lines[number] = changed(text)
        yield block.line + number, lines[number], sources.check(replace(block, lines=lines), page, root)
