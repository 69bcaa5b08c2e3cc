"""Goes through a page with somebody: shows it piece by piece, lets them predict and type, and says in words what came."""

import contextlib
import difflib
import os
import re
import select
import sys
import termios
import time
import tty

import show
from compare import SPEAKER, Rules, is_same
from pieces import RIGHT
from session import QUIET
from steps import INTERRUPTED, names_of, steps_of

TYPE = "\x14"  # Ctrl-T
GO_ON = "\n\r "
MOST_AT_ONCE = 1024  # bytes of what is pasted
PATIENCE = 20  # seconds that something may take to come after it was asked for
SETTLED = 0.4  # seconds without a sign, after which what was typed has done what it does
AT_SHELL = ("$ ", INTERRUPTED)
TELNET = "telnet> "
ONLY_KEY = re.compile(r"\^[A-Z\]\\]")  # what the screen shows of a key that ends or leaves a program
KEYS_BEFORE = re.compile(r"^(\^[A-Z\]\\])+")  # such keys before a line, which the program has not read
LINES_SHOWN = 6  # of what came; more is said as a number
KEYS = {"C": "Ctrl-C", "]": "Ctrl-]", "D": "Ctrl-D", "\\": "Ctrl-\\", "Z": "Ctrl-Z"}


class Leave(Exception):
    """They want to stop here."""


class Console:
    """Where the text is. Keys are read one by one."""

    def __init__(self, most_columns):
        self.most_columns = most_columns  # as many as the text has when the windows are open
        self.before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        attributes = termios.tcgetattr(sys.stdin)
        attributes[0] &= ~termios.IXON  # Ctrl-C, Ctrl-S and the like, pressed here by mistake, are keys like any other
        attributes[3] &= ~termios.ISIG
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, attributes)

    def close(self):
        with contextlib.suppress(termios.error):  # the terminal may have gone before us
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self.before)

    @property
    def width(self):
        return max(30, min(os.get_terminal_size().columns, self.most_columns) - 1)

    def say(self, *lines):
        for line in lines:
            print(line)
        sys.stdout.flush()

    def tell(self, text, mark="", colour=""):
        """A paragraph of ours."""
        self.say(*(colour + line + show.PLAIN for line in show.filled(text, self.width, mark, " " * len(mark))))

    def key(self):
        """What was pressed, if anything was. More than one character: an arrow or the like, or words that were pasted and are
        meant for a window; none of them is a command."""
        if not select.select([sys.stdin], [], [], 0)[0]:
            return ""
        pressed = os.read(sys.stdin.fileno(), MOST_AT_ONCE).decode("utf-8", "replace")
        if not pressed:
            raise Leave
        return pressed if pressed.strip(GO_ON) else pressed[0]


class Guide:
    def __init__(self, chapter, pieces, bench, windows, console, progress):
        self.chapter, self.pieces = chapter, pieces
        self.bench, self.windows, self.console, self.progress = bench, windows, console, progress
        self.bindings = {}
        self.by_itself = False  # whether we bring the windows to where somebody left
        self.predictions = progress.of(chapter).setdefault("predictions", {})
        self.commands = {}  # of each window: what was last typed at its shell
        self.running = set()  # the windows in which that ran on when all that the page shows had come

    # ---- the way through the page

    def go(self):
        start = self.place(self.progress.of(self.chapter).get("at"))
        if start > 0:
            self.console.tell("I bring the windows to where you were. That takes a moment.", colour=show.FAINT)
            self.by_itself = True
            for piece in self.pieces[:start]:
                if piece.kind == "block" and piece.block.kind == "terminal":
                    self.play(piece.block)
            self.by_itself = False
        for number in range(start, len(self.pieces)):
            self.progress.put(self.chapter, at=self.name_of_place(number), predictions=self.predictions)
            self.present(number)
        self.progress.put(self.chapter, at=None, done=True)

    def name_of_place(self, number):
        """A place that is found again after the page was edited elsewhere: a heading, and how many pieces below it."""
        headings = [at for at in range(number + 1) if self.pieces[at].kind == "heading"]
        if not headings:
            return None
        return {"section": self.pieces[headings[-1]].lines[0].lstrip("# "), "pieces": number - headings[-1]}

    def place(self, at):
        for number in range(len(self.pieces)):
            if at and self.name_of_place(number) == at:
                return number
        return 0

    def present(self, number):
        piece = self.pieces[number]
        following = self.pieces[number + 1].kind if number + 1 < len(self.pieces) else "end"
        if piece.kind == "heading":
            self.console.say(*show.heading(piece.lines[0], self.console.width))
        elif piece.kind == "text":
            self.show(piece.lines)
            if following in ("text", "heading", "drawing", "end") or self.is_quote(number + 1):
                self.stop()
        elif piece.kind == "drawing":
            self.console.say(*show.drawing(piece.lines, self.console.width))
            self.stop()
        elif piece.kind == "question":
            self.ask(piece.question)
        elif piece.kind == "answers":
            self.answer(piece.question)
        elif piece.kind == "fold":
            self.stop(f"Enter: {piece.summary}")
            self.show(piece.lines)
            self.stop()
        elif piece.block.kind == "terminal":
            self.play(piece.block)
        else:
            self.quote(piece.block)

    def is_quote(self, number):
        return (number < len(self.pieces) and self.pieces[number].kind == "block"
                and self.pieces[number].block.kind != "terminal")

    def show(self, lines):
        self.console.say("", *(self.real(line) for line in show.markdown(lines, self.console.width)))

    def real(self, text):
        return self.bench.to_real(text, {})

    def quote(self, block):
        if block.kind == "not run":
            self.console.tell(f"(Not played here: {block.fact('not run')}.)", colour=show.FAINT)
        colours = {"+": show.GOOD, "-": show.BAD} if block.kind == "diff" else {}
        self.console.say("", *("  " + colours.get(line[:1], show.CODE) + line + show.PLAIN for line in block.lines))
        self.stop()

    # ---- waiting for the person

    def wait(self, condition=lambda: False, seconds=None):
        """Until the condition holds (""), a key was pressed (the key), or the time is over (None)."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            if condition():
                return ""
            if key := self.console.key():
                return key
            left = 0.1 if until is None else min(0.1, until - time.monotonic())
            if left <= 0:
                return None
            self.windows.pump(left, [sys.stdin])

    def wait_on(self, condition, seconds):
        """For what has been asked for: only s and q end that early."""
        until = time.monotonic() + seconds
        while (key := self.wait(condition, until - time.monotonic())) and key not in ("s", "S"):
            if key in ("q", "Q"):
                raise Leave
        return key

    def stop(self, invitation="Enter: go on"):
        """Until they want to go on."""
        self.windows.look_at()
        self.console.say("", f"{show.FAINT}[{invitation}   q: leave]{show.PLAIN}")
        while True:
            key = self.wait()
            if key in ("q", "Q"):
                raise Leave
            if key and key in GO_ON:
                return
            if key:
                self.console.tell("Enter goes on, q leaves. What is to be typed in a window is asked for with ▶.")

    def ask(self, question):
        self.show(question.text)
        if not question.choices:
            self.stop("say it, or write it down; then Enter")
            return
        self.console.say("")
        for letter, words in question.choices.items():
            self.console.say(*(self.real(line) for line in show.filled(words, self.console.width, f"  {letter}  ", "     ")))
        letters = ", ".join(question.choices)
        self.console.say("", f"{show.FAINT}[{letters}?   q: leave]{show.PLAIN}")
        while True:
            key = (self.wait() or "").upper()
            if key in question.choices:
                break
            if key == "Q":
                raise Leave
            if key:
                self.console.tell(f"One of {letters}. A guess is better than none.")
        self.predictions[self.key_of(question)] = key
        self.console.tell(f"You say {key}. We shall see.")

    def key_of(self, question):
        return " ".join(question.text[1:2])

    def answer(self, question):
        said = self.predictions.get(self.key_of(question))
        right = question.right
        self.console.say("")
        if said == right:
            self.console.tell(f"You said {said}. {self.real(question.answers[said])}", "✓ ", show.GOOD)
        else:
            if said:
                self.console.tell(f"You said {said}: {question.choices[said]}", "✗ ", show.BAD)
                self.console.tell(self.real(question.answers[said]), "  ")
            self.console.tell(f"{right} is right: {question.choices[right]}", "✓ ", show.GOOD)
            self.console.tell(self.real(question.answers[right].removeprefix(RIGHT).lstrip(".:, ")), "  ")
        self.stop()

    # ---- terminals

    def play(self, block):
        for name in names_of(block):
            is_new = name not in self.windows.by_name
            window = self.windows.get(name)
            if is_new and not self.by_itself:
                self.console.tell(f"A window has been opened: {name}.", colour=show.FAINT)
            steps = steps_of(block)
            for number, step in enumerate(steps):
                following = steps[number + 1] if number + 1 < len(steps) else None
                if step.action and not self.do(name, step, following):
                    continue
                window = self.windows.get(name)
                if step.output or step.action == "key" and step.expected:
                    self.compare(window, step, Rules(block))
        if not self.by_itself:
            self.windows.look_at()

    def do(self, name, step, following):
        """Until it is done, by them or, where they ask for it, by us. False: they went on without it."""
        window = self.windows.get(name)
        step.really_typed = self.bench.to_real(step.typed, self.bindings)
        what = KEYS.get(step.typed, "Ctrl-" + step.typed) if step.action == "key" else step.really_typed
        if not self.by_itself:
            verb = "press" if step.action == "key" else "type"
            self.console.say("")
            self.console.tell(f"**{window.name}**: {verb}", "▶ ")
            self.console.say(f"    {show.CODE}{what}{show.PLAIN}")
            self.windows.look_at(window.name)
        done = self.is_done_by_key if step.action == "key" else self.echo_of
        refused = window.row
        while True:
            if window.has_ended():
                window = self.opened_again(name, step)
                refused = window.row
            if self.by_itself:
                key = TYPE
            else:
                key = self.wait(lambda: done(window, step, following) is not None or self.is_mistyped(window, step, refused)
                                or window.has_ended())
            if key == TYPE:
                is_typed = self.type(window, step, is_astray=refused > window.row)
                key = self.wait(lambda: done(window, step, following) is not None, PATIENCE) if is_typed else ""
            row = done(window, step, following)
            if row is not None:
                window.row = row
                if step.prompt in AT_SHELL:
                    self.commands[name] = step.really_typed
                return True
            if key in ("s", "S"):
                return False
            if key in ("q", "Q"):
                raise Leave
            if window.has_ended():
                continue
            if self.by_itself:
                return False
            if key == "":
                self.say_mistyped(window, step, refused)
                refused = window.screen.cursor.y
            elif key is None:
                self.console.tell(f"That did not arrive in {window.name}'s window. Type it there; s goes on without it.")
            elif key:
                self.console.tell(f"This is to be typed in {window.name}'s window; the keyboard is there now. Ctrl-T types it "
                                  "for you, s goes on without it, q leaves.")
                self.windows.look_at(window.name)

    def opened_again(self, name, step):
        window = self.windows.get(name)
        self.console.tell(f"{name}'s window was closed: with exit, or with Ctrl-D at the shell. Here is a new one.")
        if step.prompt not in AT_SHELL:
            self.console.tell(self.how_to_start(name))
        self.windows.look_at(name)
        return window

    def how_to_start(self, name):
        others = [other for other in self.running if other != name and self.windows.get(other).is_at_shell()]
        ended = [f"{each}'s window (“{self.commands[each]}”)" for each in [*others, name] if each in self.commands]
        return f"What this is for has ended. Start it again: in {', then in '.join(ended)}." if ended else ""

    def echo_of(self, window, step, _):
        """The row below the line that was to be typed, once it is there."""
        prompts = {step.prompt, *AT_SHELL} if step.prompt in AT_SHELL else {step.prompt}
        wanted = [(prompt + step.really_typed).split() for prompt in prompts]
        for number, line in enumerate(window.lines()):
            if line.split() in wanted or not step.prompt and KEYS_BEFORE.sub("", line).split() in wanted:
                return window.row + number + 1
        return None

    def is_done_by_key(self, window, step, following):
        """A key that shows something has been pressed when that is there; another one when its program has ended."""
        if step.expected:
            mark = f"^{step.typed}"
            there = [*window.lines(), window.cursor_line()]
            return window.row if any(line.startswith(mark) or line.endswith(mark) for line in there) else None
        if following and following.prompt == INTERRUPTED and self.echo_of(window, self.as_typed(following), None):
            return window.row
        return window.row if window.is_at_shell() else None

    def as_typed(self, step):
        step.really_typed = self.bench.to_real(step.typed, self.bindings)
        return step

    def is_mistyped(self, window, step, seen):
        """Whether lines came that are not what was to be typed, and no more come."""
        if step.action == "key" or window.screen.cursor.y <= seen:
            return False
        before = window.screen.cursor.y
        self.windows.wait(lambda: window.screen.cursor.y != before, SETTLED)
        came = [window.text_of(row) for row in range(seen, before)]
        if self.is_at_prompt(window, step) and all(ONLY_KEY.fullmatch(line) for line in came):
            return False  # they have left what was in the way
        return window.screen.cursor.y == before and self.echo_of(window, step, None) is None

    def is_at_prompt(self, window, step):
        """Or behind it, in the middle of a line."""
        prompts = AT_SHELL if step.prompt in AT_SHELL else [step.prompt] if step.prompt else []
        return any(window.cursor_line().startswith(prompt.rstrip()) for prompt in prompts)

    def say_mistyped(self, window, step, seen):
        came = [window.text_of(row) for row in range(seen, window.screen.cursor.y)]
        typed = next((line for line in came if line.startswith(step.prompt)), came[0])
        typed = typed.removeprefix(step.prompt.rstrip() or "$ ").strip()  # the screen has no blank behind a prompt that stands alone
        wanted = step.really_typed
        self.console.say("")
        if typed == self.commands.get(window.name) and step.prompt not in AT_SHELL and not self.in_the_way(window, step):
            self.console.tell("It runs again. Now type the line.", "✓ ", show.GOOD)
            return
        if typed == wanted:
            self.console.tell(f"“{typed}” is right, but it came where something else listens.", "✗ ", show.BAD)
        else:
            self.console.tell(f"{f'“{typed}”' if typed else 'Only Enter'} has come, and the page has “{wanted}”.", "✗ ", show.BAD)
        if typed != wanted and difflib.SequenceMatcher(None, typed, wanted).ratio() > 0.6:
            self.console.tell(self.first_difference(typed, wanted), "  ")
        elsewhere = [name for name, other in self.windows.by_name.items() if other is not window
                     and any(line in (wanted, "$ " + wanted, step.prompt + wanted) for line in other.lines())]
        if elsewhere:
            self.console.tell(f"It stands in {elsewhere[0]}'s window, and was meant for {window.name}'s.", "  ")
        if in_the_way := self.in_the_way(window, step):
            self.console.tell(in_the_way, "  ")
        self.console.tell("Nothing is lost. Type it once more; Ctrl-T types it for you, Ctrl-G and s go on without it.", "  ")

    def in_the_way(self, window, step):
        """What must be done before it can be typed once more, if anything."""
        line = window.cursor_line()
        if step.prompt in AT_SHELL:
            if not window.is_at_shell() and not line.startswith("$"):
                return "A program runs in this window now. End it first: with Ctrl-C, or out of telnet with Ctrl-] and quit."
        elif window.is_at_shell():
            return self.how_to_start(window.name)
        elif step.prompt == TELNET and not line.startswith(TELNET.rstrip()):
            return "With a line of no words, telnet goes back to the connection. Press Ctrl-] first: then it listens again."
        elif step.prompt == "" and line.startswith(TELNET.rstrip()):
            return "It is telnet itself that listens now. With Enter alone you are back in the connection."
        return ""

    def first_difference(self, typed, wanted):
        same = os.path.commonprefix([typed, wanted])
        if same == typed:
            return f"It ends too early: “{wanted[len(same):]}” is missing."
        if same == wanted:
            return f"It is right, and then comes “{typed[len(same):]}”, which is too much."
        return f"Up to “{same}” it is right." if same else "It differs from its first letter on."

    def type(self, window, step, is_astray):
        """What they would have done, from whatever they have begun. False: what it is meant for does not run."""
        if step.action == "key":
            window.press(step.typed)
            return True

        def is_ready():
            return window.cursor_line() == step.prompt.rstrip() or step.prompt == "$ " and window.is_at_shell()

        def is_begun():
            return is_ready() or window.cursor_line().startswith(step.prompt.rstrip())

        if step.prompt not in AT_SHELL and window.is_at_shell() and window.name in self.commands:  # what it is meant for has ended
            window.type(self.commands[window.name] + "\n")
            self.windows.wait(lambda: not window.is_at_shell(), SETTLED)
            self.windows.settle(SETTLED)
            if window.is_at_shell():
                return False
        if step.prompt == TELNET and not is_begun():
            window.press("]")
        if step.prompt == "" and window.cursor_line() == TELNET.rstrip():
            window.type("\n")
            self.windows.settle(SETTLED)
        if is_astray and step.prompt == "$ ":  # something runs that the page knows nothing of
            window.press("C")
            if not self.windows.wait(is_begun, SETTLED):
                window.press("]")
                window.type("quit\n")
        self.windows.wait(is_begun, PATIENCE)
        if not self.windows.wait(is_ready, SETTLED):
            window.press("U")
        self.windows.wait(is_ready, PATIENCE)
        window.type(step.really_typed + "\n")
        return True

    # ---- what came, and what should have come

    def compare(self, window, step, rules):
        expected = step.output or step.expected
        last = [0, time.monotonic()]

        def came():
            return [self.bench.to_shown(line) for line in window.lines()]

        def found():
            return match(expected, came(), rules, dict(self.bindings))[0]

        def is_decided():
            lines = len(window.lines())
            if lines != last[0]:
                last[:] = lines, time.monotonic()
            if None not in found():
                return True
            return window.is_at_shell() and time.monotonic() - last[1] > QUIET or window.has_ended()

        if not self.by_itself and not step.action:
            self.console.say("")
            self.console.tell(f"**{window.name}** shows:", "▷ ")
        if self.wait_on(is_decided, PATIENCE) is None and not self.by_itself:
            self.console.tell("That takes longer than it should. I wait on; s goes on without it.")
            self.wait_on(is_decided, 2 * PATIENCE)
        lines = came()
        places, learnt = match(expected, lines, rules, dict(self.bindings))
        there = [place for place in places if place is not None]
        taken = max(there) + 1 if there else 0
        if not self.by_itself:
            self.report(window, expected, lines, places, taken, rules, learnt)
        self.bindings = learnt
        window.row += taken
        (self.running.discard if window.is_at_shell() else self.running.add)(window.name)

    def report(self, window, expected, lines, places, taken, rules, learnt):
        missing = [text for (_, text), place in zip(expected, places) if place is None]
        besides = [line for number, line in enumerate(lines[:taken])
                   if line and number not in places and not rules.is_optional(line)]
        shown = [lines[place] for place in places if place is not None]
        if not missing:
            many = len(shown) > LINES_SHOWN
            self.console.say(*(f"    {show.FAINT}{self.real(line)}{show.PLAIN}" for line in shown[:LINES_SHOWN]),
                             *([f"    {show.FAINT}…{show.PLAIN}"] if many else []))
            size = f"all {len(shown)} lines" if len(shown) > 1 else "it"
            self.console.tell(f"{size} came as on the page".replace("it came", "It came").replace("all ", "All ")
                              + self.other_numbers(learnt) + ".", "✓ ", show.GOOD)
        else:
            self.console.tell(f"The page shows, and {window.name}'s window does not:", "✗ ", show.BAD)
            self.console.say(*(f"    {self.real(line)}" for line in missing))
            rest = [line for number, line in enumerate(lines) if number not in places and not rules.is_optional(line)]
            if rest:
                self.console.tell("What came instead:", "  ")
                self.console.say(*(f"    {self.real(line)}" for line in rest[-LINES_SHOWN:]))
            self.advise(lines)
            if window.is_at_shell() and any(line.startswith("^C") for line in lines):
                self.console.tell(f"Ctrl-C has ended it. {self.how_to_start(window.name)}", "→ ")
            self.stop("Enter: go on all the same")
        if besides and not missing:
            self.console.tell(f"Besides, {len(besides)} more {'line' if len(besides) == 1 else 'lines'} came, of what was typed "
                              "otherwise than on the page:", "  ")
            self.console.say(*(f"    {show.FAINT}{self.real(line)}{show.PLAIN}" for line in besides[:LINES_SHOWN]))

    def other_numbers(self, learnt):
        """Which process ids differ from the page's: they will be typed."""
        fresh = [f"pid {shown} is {real[1]} here" for (name, shown), real in learnt.items()
                 if name == "process id" and (name, shown) not in self.bindings and shown != real[1]]
        return f" ({', '.join(fresh[:3])})" if fresh else ""

    def advise(self, lines):
        """What the page of troubles says of what came."""
        for message, means, remedy in troubles(self.bench.root / "docs/troubleshooting.md"):
            if any(message in line for line in lines):
                self.console.tell(f"{message}: {means}. {remedy}", "→ ")
                return


def troubles(path):
    """The rows of its table that begin with a message in italics: the message, what it is, what to do."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.fullmatch(r"\| .*?\*(.+?)\*.*? \| (.+?) \| (.+?) \|", line)
        if found:
            yield found.groups()


def match(expected, got, rules, bindings):
    """Where each expected line came, None where it did not; lines that nobody expected may stand between them. Also what
    the lines stand for."""
    places, next_place = [], {}
    for _, text in expected:
        speaker = SPEAKER.match(text).group() if rules.by_speaker else ""
        place = next((number for number in range(next_place.get(speaker, 0), len(got)) if number not in places
                      and is_same(text, got[number], rules, bindings)), None)
        places.append(place)
        if place is not None:
            next_place[speaker] = place + 1
    return places, bindings
