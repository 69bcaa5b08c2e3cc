#!/usr/bin/env python3
"""./lab diff: what changed between the sources of two stages, function by function.

    diff.py EARLIER LATER [--unified]   of each: server.cpp, and main.cpp where there is one
    diff.py --check                     says which changed function has no sentence, and which sentence no function

The sentences are those that the later stage's chapter has below SECTION, one in each item of a list: - `serve`: why.
On a terminal that is wide enough for a function, its two forms stand side by side; else they are a unified diff.
"""

import argparse
import collections
import dataclasses
import difflib
import itertools
import os
import pathlib
import re
import shutil
import signal
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ("server.cpp", "main.cpp")
SECTION = "## What changed, function by function"
LONG = 40  # lines; of a longer function only what is near a change is shown
NEAR = 3  # lines
TEXT_WIDTH = 100


# ---- reading sources ------------------------------------------------------------------------------------------------
# Just enough of C++ for sources that clang-format has formatted.

COMMENT_STRING_OR_WORD = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<d>\w*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|(?P<word>\w[\w']*)""", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.)*", re.M | re.S)
NAMESPACE = re.compile(r"(?:inline\s+)?namespace\b[^;{=]*\{")
CATCH = re.compile(r"\s*catch\s*\([^{]*")
TEMPLATE = re.compile(r"^template\s*<[^\n]*>\s*\n")
TYPE = re.compile(r"(?:struct|class|union|enum(?:\s+class)?)\s+\w+(?:::\w+)*")
# Without the namespaces before it, which are written small: a stage in a namespace has the functions of one without.
FUNCTION = re.compile(r"(?<![\w:])(?:[a-z]\w*::)*((?:[A-Z]\w*::)*(?:operator\s*(?:\(\)|[^\s(\w]+)|~?\w+))\s*\(")


@dataclasses.dataclass(frozen=True)
class Definition:
    """A function or a type, with the comment that stands above it."""

    name: str
    is_function: bool
    file: str
    line: int
    lines: tuple

    @property
    def place(self):
        return f"{self.file}:{self.line}"


def code_only(text):
    """The text as it is, but with blanks for comments, strings and directives: its braces are the program's."""
    def blank(found):
        return found[0] if found.lastgroup == "word" else re.sub(r"[^\n]", " ", found[0])

    text = COMMENT_STRING_OR_WORD.sub(blank, text)
    return DIRECTIVE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def closing(code, opened):
    """Where the brace that opens there is closed."""
    depth = 0
    for at in range(opened, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    raise ValueError("a brace is never closed")


def begins_body(head):
    """Whether the brace behind these words begins a function's body, and not a type, a value or a member's initializer."""
    words = TEMPLATE.sub("", head)
    if not words[-1:].isspace() or TYPE.match(words) or "(" not in words:
        return False
    while "(" in words:  # without parameters: a = that is left assigns a value
        shorter = re.sub(r"\([^()]*\)", "", words)
        if shorter == words:
            return False
        words = shorter
    return "=" not in re.sub(r"operator\s*[^\s\w]+", "", words)


def end_of(code, begin):
    """Where what begins here ends, and the words before a function's body; no words where it is something else."""
    depth = 0
    at = begin
    while at < len(code):
        character = code[at]
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == ";" and depth == 0:
            return at + 1, ""
        if character == "{":
            end = closing(code, at) + 1
            if depth == 0 and begins_body(code[begin:at]):
                while handler := CATCH.match(code, end):
                    end = closing(code, handler.end()) + 1
                return end, code[begin:at]
            at = end
        else:
            at += 1
    return at, ""


def take_apart(text, file):
    """Its functions and types, in their order, and the lines of all else, without includes and namespaces."""
    code = code_only(text)
    lines = text.splitlines()
    rest = set(range(len(lines))) - {at for at, line in enumerate(lines) if line.startswith("#include")}
    rest -= set(range(next((at for at, line in enumerate(lines) if not line.startswith("//")), 0)))  # says what this is
    found = []
    at = 0
    while space := re.compile(r"\s*").match(code, at):
        at = space.end()
        if at == len(code):
            break
        line = code.count("\n", 0, at)
        opened = NAMESPACE.match(code, at)
        if opened or code[at] == "}":
            rest.discard(line)
            at = opened.end() if opened else at + 1
            continue
        end, head = end_of(code, at)
        is_type = not head and TYPE.match(TEMPLATE.sub("", code[at:end]))
        if head or (is_type and "{" in code[at:end]):
            name = FUNCTION.search(head)[1] if head else is_type[0]
            last = code.count("\n", 0, end)
            first = line
            while first > 0 and lines[first - 1].startswith("//"):
                first -= 1
            rest -= set(range(first, last + 1))
            found.append(Definition(name, bool(head), file, line + 1, tuple(lines[first:last + 1])))
        at = end
    return found, [lines[at] for at in sorted(rest) if lines[at].strip()]


def read_stage(root, stage):
    """Its definitions by name, where overloads are told apart by their order, and the lines of all else."""
    found, rest, seen = {}, [], collections.Counter()
    for source in SOURCES:
        file = root / stage / source
        if not file.exists():
            continue
        definitions, others = take_apart(file.read_text(encoding="utf-8"), f"{stage}/{source}")
        rest += others
        for definition in definitions:
            seen[definition.name] += 1
            number = seen[definition.name]
            found[definition.name + (f" ({number})" if number > 1 else "")] = definition
    return found, rest


# ---- reading chapters -----------------------------------------------------------------------------------------------


def stages(root):
    return sorted(file.parent.name for file in root.glob("[0-9][0-9]_*/CMakeLists.txt"))


def chapter_of(earlier, later, root):
    """The chapter that tells of this step; None where the two are no neighbours."""
    known = stages(root)
    return root / "docs" / f"{later}.md" if (earlier, later) in itertools.pairwise(known) else None


def sentences(chapter):
    """What the chapter says of each function: name -> (line, sentence). None where it has no such section."""
    lines = chapter.read_text(encoding="utf-8").splitlines() if chapter and chapter.exists() else []
    if SECTION not in lines:
        return None
    found, names = {}, []
    for number, line in enumerate(lines[lines.index(SECTION) + 1:], lines.index(SECTION) + 2):
        if line.startswith("#"):
            break
        item = re.match(r"[-*] ((?:`[^`]+`(?:, | and )?)+): (.*)", line)
        if item:
            names = [name.removesuffix("()") for name in re.findall(r"`([^`]+)`", item[1])]
            found.update({name: (number, item[2]) for name in names})
        elif names and line.startswith("  "):
            found.update({name: (found[name][0], found[name][1] + " " + line.strip()) for name in names})
        else:
            names = []
    return found


# ---- showing --------------------------------------------------------------------------------------------------------

OLD, NEW, BOLD, PLAIN = "\033[31m", "\033[32m", "\033[1m", "\033[0m"


class Screen:
    def __init__(self, unified):
        on_terminal = sys.stdout.isatty()
        self.columns = shutil.get_terminal_size().columns if on_terminal else 0
        self.unified = unified or not on_terminal
        self.has_colours = on_terminal and "NO_COLOR" not in os.environ

    def coloured(self, colour, text):
        return f"{colour}{text}{PLAIN}" if self.has_colours and colour and text else text

    def say(self, text):
        width = min(self.columns or TEXT_WIDTH, TEXT_WIDTH)
        for line in textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False):
            print(line)

    def show(self, old, new):
        half = max(map(len, old), default=0)
        if not self.unified and half + 3 + max(map(len, new), default=0) <= self.columns:
            self.side_by_side(old, new, half)
        else:
            near = NEAR if max(len(old), len(new)) > LONG else LONG
            for line in list(difflib.unified_diff(old, new, lineterm="", n=near))[3:]:
                print(self.coloured({"-": OLD, "+": NEW}.get(line[0]), "..." if line.startswith("@@") else line))

    def side_by_side(self, old, new, half):
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        for kind, a, b, c, d in matcher.get_opcodes():
            for left, right in itertools.zip_longest(old[a:b], new[c:d]):
                sign = " " if kind == "equal" else "<" if right is None else ">" if left is None else "|"
                left, right = (left or "").ljust(half), right or ""
                if kind != "equal":
                    left, right = self.coloured(OLD, left), self.coloured(NEW, right)
                print(f"{left} {sign} {right}".rstrip())


def diff(earlier, later, root, screen):
    old, old_rest = read_stage(root, earlier)
    new, new_rest = read_stage(root, later)
    chapter = chapter_of(earlier, later, root)
    why = sentences(chapter) or {}

    def sentence(name):
        bare = re.sub(r"^(struct|class|union|enum(?: class)?) | \(\d+\)$", "", name)
        return why[bare][1] if bare in why else ""

    both = [name for name in new if name in old]
    unchanged = [name for name in both if old[name].lines == new[name].lines]
    changed = [name for name in both if name not in unchanged]
    print(screen.coloured(BOLD, f"{earlier} and {later}, function by function"))
    screen.say("unchanged: " + (", ".join(unchanged) or "nothing"))
    for name in changed:
        print()
        print(screen.coloured(BOLD, name) + f"  {old[name].place} {new[name].place}")
        screen.say(sentence(name))
        screen.show(old[name].lines, new[name].lines)
    print()
    for what, names, where in (("new", [name for name in new if name not in old], new),
                               (f"not in {later}", [name for name in old if name not in new], old)):
        for name in names:
            said = sentence(name)
            screen.say(f"{what}: {name}  {where[name].place}" + (f"  {said}" if said else ""))
    if old_rest != new_rest:
        print()
        print(screen.coloured(BOLD, "outside of them"))
        screen.show(old_rest, new_rest)


# ---- checking -------------------------------------------------------------------------------------------------------


def mistakes(root):
    for earlier, later in itertools.pairwise(stages(root)):
        chapter = chapter_of(earlier, later, root)
        name_of_page = chapter.relative_to(root)
        why = sentences(chapter)
        if why is None:
            yield f'{name_of_page}: has no heading "{SECTION}"'
            continue
        old, new = read_stage(root, earlier)[0], read_stage(root, later)[0]
        for name, definition in new.items():
            if definition.is_function and name in old and old[name].lines != definition.lines:
                if definition.name not in why:
                    yield f"{name_of_page}: says nothing of `{name}`, which has changed ({definition.place})"
        names = {definition.name.rpartition(" ")[2] for definition in [*old.values(), *new.values()]}
        for name, (line, _) in why.items():
            if name not in names:
                yield f"{name_of_page}:{line}: speaks of `{name}`, which neither {earlier} nor {later} has"


def main():
    parser = argparse.ArgumentParser(prog="./lab diff", description=__doc__.splitlines()[0].partition(": ")[2])
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="two of them, the earlier one first")
    parser.add_argument("--unified", action="store_true", help="never side by side")
    parser.add_argument("--check", action="store_true", help="whether the chapters' sentences fit the sources")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="of other sources than these")
    options = parser.parse_args()
    if options.check:
        found = list(mistakes(options.root))
        print("".join(f"{mistake}\n" for mistake in found), end="")
        return 1 if found else 0
    if len(options.stages) != 2:
        parser.error("two stages, the earlier one first")
    for stage in options.stages:
        if stage not in stages(options.root):
            parser.error(f"there is no stage {stage}; there are {', '.join(stages(options.root))}")
    diff(*options.stages, options.root, Screen(options.unified))
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # | head has seen enough
    sys.exit(main())
