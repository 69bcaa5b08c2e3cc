"""Blocks that quote: code is the source's own, word for word, and a diff is what `diff` would say."""

import difflib
import re

from compare import Difference
from page import PageError


def check(block, page, root):
    """The differences between a quoting block and what it quotes."""
    if block.kind == "source":
        return first_difference(block, quoted(block, page, root))
    if block.kind == "diff":
        return first_difference(block, computed_diff(block, page, root))
    return []


def quoted(block, page, root):
    """A region whole; of a file, the part that the block comes closest to."""
    name = block.fact("source")
    lines = region(name, root, where(block, page))
    if "#" not in name and not block.lines:
        raise PageError(f"{where(block, page)}: which part of {name}? Name a region (FILE#NAME), or quote the part")
    return lines if "#" in name else closest(block.lines, lines)


def renewed(block, page, root):
    """What the block should show now."""
    if block.kind == "diff":
        return computed_diff(block, page, root)
    return quoted(block, page, root)


def where(block, page):
    return f"{page.name}:{block.line - 1}"


def first_difference(block, lines):
    for number, shown in enumerate(block.lines):
        got = lines[number] if number < len(lines) else "nothing more"
        if shown.rstrip() != got.rstrip() or number >= len(lines):
            return [Difference(block.line + number, shown, got)]
    if len(lines) > len(block.lines):
        return [Difference(block.line + len(block.lines), "nothing more", lines[len(block.lines)])]
    return []


def region(name, root, said_at):
    """`path`: the whole file. `path#name`: the definition of that function, class or constant, with its comment."""
    path, _, entity = name.partition("#")
    file = root / path
    if not file.is_file():
        raise PageError(f"{said_at}: there is no file {path}")
    lines = file.read_text(encoding="utf-8").splitlines()
    if not entity:
        return lines
    found = definition(lines, entity)
    if not found:
        raise PageError(f"{said_at}: {path} defines no {entity}")
    return found


def definition(lines, entity):
    named = re.compile(rf"(?<![\w.>:\"])(\w+::)*{re.escape(entity)}\b(?!\"|\.h)")
    for first, line in enumerate(lines):
        if not named.search(line) or line.lstrip().startswith(("//", "#", "return", "*", "friend")):
            continue
        indent = line[: len(line) - len(line.lstrip())]
        last = end_of_definition(lines, first, indent)
        if last is None:
            continue
        while first > 0 and re.match(rf"{indent}(//|template|\[\[)", lines[first - 1]):
            first -= 1
        return [line[len(indent):] for line in lines[first: last + 1]]
    return None


def end_of_definition(lines, first, indent):
    """The line that ends what begins here: a brace at the same depth, or the semicolon of a constant. Else None."""
    opened = False
    for number in range(first, len(lines)):
        line = lines[number]
        if number > first and opened and line.startswith(indent) and line[len(indent):].startswith("}"):
            if line.rstrip().endswith("{"):
                continue  # } catch (…) {
            return number
        if "{" in line:
            opened = True
        if number == first and re.search(r"\{.*\}[;)]*$", line.rstrip()):
            return number  # all in one line
        if not opened and line.rstrip().endswith(";"):
            # A declaration, or a call: only a constant or a type's name is a definition.
            return number if re.match(r"\s*(inline |static )*(constexpr|using|const|enum|namespace)\b", lines[first]) else None
    return None


def closest(block_lines, lines):
    """The run of as many lines as the block has that has most of them in common with it."""
    size = len(block_lines)
    if size >= len(lines):
        return lines
    shown = [line.rstrip() for line in block_lines]

    def in_common(first):
        return sum(one == other.rstrip() for one, other in zip(shown, lines[first: first + size]))

    best = max(range(len(lines) - size + 1), key=in_common)
    return lines[best: best + size]


def computed_diff(block, page, root):
    """`diff: A B`: of two files as `diff -u` does it; of two regions without heads, with all that they share."""
    names = block.fact("diff").split()
    if len(names) != 2:
        raise PageError(f"{where(block, page)}: diff: takes two sources")
    before, after = (region(name, root, where(block, page)) for name in names)
    if "#" in block.fact("diff"):
        made = difflib.unified_diff(before, after, lineterm="", n=len(before) + len(after))
        return list(made)[3:]
    return list(difflib.unified_diff(before, after, *names, lineterm=""))
