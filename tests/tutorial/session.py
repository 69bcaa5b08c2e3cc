"""Plays the console blocks of a page, in the order of the text, in as many terminals as it names."""

import difflib
import time
from dataclasses import dataclass

from compare import Difference, Rules, compare, is_same
from steps import Step, names_of, steps_of
from terminal import Terminals

QUIET = 1.0  # seconds at the shell's prompt after which an ended program has said all


@dataclass
class Record:
    """What really came for a step: the mutation check compares with it again."""

    block: object
    step: Step
    got: list
    bindings: dict  # as they were before


class Differs(Exception):
    def __init__(self, differences):
        super().__init__()
        self.differences = differences


class Session:
    def __init__(self, page, bench, patience, update=False):
        self.page, self.bench, self.patience, self.update = page, bench, patience, update
        self.terminals = Terminals(bench)
        self.bindings = {}
        self.records = []
        self.edits = []  # first line, number of lines, new lines

    def play(self):
        try:
            for block in self.page.of_kind("terminal"):
                for name in names_of(block):
                    self.play_block(block, self.terminals.get(name))
            self.expect_nothing_more()
        finally:
            self.terminals.close()

    def play_block(self, block, terminal):
        rules = Rules(block)
        steps = steps_of(block)
        for step in steps:
            self.act(terminal, step)
            self.expect(terminal, step, block, rules, is_last=step is steps[-1])

    def act(self, terminal, step):
        """Does what the person does. In an update, what came late, while a prompt was waited for, is written before."""
        if step.action == "key":
            terminal.press(step.typed)
        elif step.action == "line":
            self.wait_for_prompt(terminal, step)
            if self.update and terminal.lines():
                self.edits.append((step.line, 0, [self.bench.to_shown(line) for line in terminal.lines()]))
                terminal.row = terminal.screen.cursor.y
            step.really_typed = self.bench.to_real(step.typed, self.bindings)
            terminal.type(step.really_typed + "\n")

    def wait_for_prompt(self, terminal, step):
        def is_there():
            return self.bench.to_shown(terminal.cursor_line()) == step.prompt.rstrip()

        if not self.terminals.wait(is_there, self.patience):
            rest = terminal.lines() + [terminal.cursor_line()]
            raise Differs([Difference(step.line, f"a prompt '{step.prompt}' to type at", self.bench.to_shown(rest[0]))])

    def expect(self, terminal, step, block, rules, is_last):
        before = dict(self.bindings)
        began = time.monotonic()
        count = len(step.expected)
        last_seen = [0, began]

        def got():
            lines = [self.bench.to_shown(line) for line in terminal.lines()]
            if step.really_typed and lines and terminal.lines()[0].endswith(step.really_typed.rstrip()):
                lines[0] = lines[0].removesuffix(self.bench.to_shown(step.really_typed).rstrip()) + step.typed
            return lines

        def has_ended():
            lines = len(terminal.lines())
            if lines != last_seen[0]:
                last_seen[:] = lines, time.monotonic()
            return terminal.is_at_shell() and time.monotonic() - last_seen[1] > QUIET

        def is_decided():
            lines = [line for line in got() if not rules.is_optional(line)]
            if len(lines) >= count or has_ended() or not terminal.is_open:
                return True
            if rules.by_speaker:
                return False
            return bool(compare(step.expected[: len(lines)], lines, rules, dict(before)))

        self.terminals.wait(is_decided, self.patience)
        if self.update:
            self.terminals.settle(0.5)
        lines = got()
        # In an update, what the page has no line for yet is taken too, where it came before the next thing to do.
        is_new = self.update and (not is_last or not step.output)
        taken = lines if is_new else lines[:rules.rows_of(lines, count)]
        differences = compare(step.expected, taken, rules, self.bindings) if step.expected or taken else []
        if differences and self.update:
            taken = lines
            self.replace_output(step, taken, rules)
        elif differences:
            raise Differs(differences)
        self.records.append(Record(block, step, taken, before))
        terminal.row += len(taken)

    def replace_output(self, step, lines, rules):
        first = step.output[0][0] if step.output else step.line + 1
        shown = [text for _, text in step.output]
        new = [line for line in lines[step.echoes:] if not rules.is_optional(line)]
        # A line that was right stays as the page has it, with the page's own process ids and ports.
        common = difflib.SequenceMatcher(None, [rules.take_apart(text)[0] for text in shown],
                                         [rules.take_apart(text)[0] for text in new], autojunk=False)
        for one, other, size in common.get_matching_blocks():
            for number in range(size):
                if is_same(shown[one + number], new[other + number], rules, self.bindings):
                    new[other + number] = shown[one + number]
        self.edits.append((first, len(shown), new))

    def expect_nothing_more(self):
        """What came after the last line that the page shows of a terminal is missing on the page."""
        self.terminals.settle(0.2)
        last_blocks = {name: block for block in self.page.of_kind("terminal") for name in names_of(block)}
        differences = []
        for name, block in last_blocks.items():
            lines = [self.bench.to_shown(line) for line in self.terminals.get(name).lines()]
            lines = [line for line in lines if not Rules(block).is_optional(line)]
            if lines and not self.update:
                differences.append(Difference(block.line + len(block.lines), f"nothing more in {name}'s terminal", lines[0]))
        if differences:
            raise Differs(differences)
