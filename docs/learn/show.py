"""A page's Markdown on a terminal: as much of it as the pages use."""

import re
import textwrap

BOLD, FAINT, UNDERLINED, CODE, GOOD, BAD, PLAIN = (f"\033[{number}m" for number in ("1", "2", "4", "36", "32", "31", "0"))
MARKS = re.compile(r"\033\[\d+m")
INLINE = re.compile(r"(?P<code>`+)(?P<c>.+?)(?P=code)|\*\*(?P<b>.+?)\*\*|(?<!\w)\*(?P<i>[^*]+?)\*(?!\w)"
                    r"|!?\[(?P<link>.+?)\]\(.*?\)")
ITEM = re.compile(r"^(\s*)([-*]|\d+\.) +")
WIDEST = 100  # longer lines are hard to read
MESSAGE = re.compile(r"(->>|-->>|->|-->|-x|--x|-\))")


def length(text):
    return len(MARKS.sub("", text))


def inline(text):
    def mark(found):
        if found["c"]:
            return CODE + found["c"].strip() + PLAIN
        if found["b"]:
            return BOLD + inline(found["b"]).replace(PLAIN, PLAIN + BOLD) + PLAIN
        if found["i"]:
            return UNDERLINED + inline(found["i"]).replace(PLAIN, PLAIN + UNDERLINED) + PLAIN
        return inline(found["link"])

    return INLINE.sub(mark, re.sub(r"</?\w+>", "", text))


def filled(text, width, first="", other=""):
    """A paragraph in lines that are no wider."""
    lines, line = [], first
    empty = True
    for word in inline(text).split():
        if not empty and length(line) + 1 + length(word) > width:
            lines.append(line)
            line, empty = other, True
        line += word if empty else " " + word
        empty = False
    return lines + [line]


def table(rows, width):
    cells = [[inline(cell.strip()) for cell in row.strip().strip("|").split("|")] for row in rows]
    cells = [row for row in cells if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    head, *rest = cells
    if sum(max(length(cell) for cell in column) + 2 for column in zip(*cells)) <= width:
        sizes = [max(length(cell) for cell in column) for column in zip(*cells)]
        return ["  ".join(cell + " " * (size - length(cell)) for cell, size in zip(row, sizes)).rstrip() for row in cells]
    lines = []  # too wide: a row as a list
    for row in rest:
        for name, cell in zip(head, row):
            lines += textwrap.wrap(f"{name}: {cell}" if name else cell, width, subsequent_indent="    ")
        lines.append("")
    return lines[:-1]


def markdown(lines, width):
    """The lines to print for these lines of a page."""
    width = min(width, WIDEST)
    out, paragraph, first, other, rows = [], [], "", "", []

    def finish():
        nonlocal paragraph, rows
        if paragraph:
            out.extend(filled(" ".join(paragraph), width, first, other))
        if rows:
            out.extend(table(rows, width))
        paragraph, rows = [], []

    for line in lines:
        line = re.sub(r"^> ?", "", line)
        item = ITEM.match(line)
        if not line.strip():
            finish()
            if out and out[-1]:
                out.append("")
            first = other = ""
        elif line.lstrip().startswith("|"):
            rows.append(line)
        elif item:
            finish()
            first = item[1] + ("• " if item[2] in "-*" else item[2] + " ")
            other = " " * len(first)
            paragraph = [line[item.end():]]
        else:
            if not paragraph and not other:
                first = other = re.match(r"\s*", line)[0]
            paragraph.append(line.strip())
    finish()
    return out


def heading(line, width):
    text = line.lstrip("#").strip()
    return ["", BOLD + text + PLAIN, "─" * min(width, length(inline(text)))]


def drawing(lines, width):
    """A sequence as lines; of other drawings only that they are there."""
    if lines[0].strip() != "sequenceDiagram":
        return [FAINT + "(Here the page has a drawing.)" + PLAIN]
    names, out = {}, []
    for line in map(str.strip, lines[1:]):
        who = re.fullmatch(r"(?:participant|actor) (\w+)(?: as (.*))?", line)
        note = re.fullmatch(r"Note (?:over|right of|left of) (\w+).*?: *(.*)", line)
        message = re.fullmatch(rf"(\w+) *{MESSAGE.pattern} *(\w+) *: *(.*)", line)
        if who:
            names[who[1]] = who[2] or who[1]
        elif note:
            out += filled(f"({names.get(note[1], note[1])}: {note[2]})".replace("<br/>", " "), width, "    ", "    ")
        elif message:
            start = f"  {names.get(message[1], message[1])} → {names.get(message[3], message[3])}: "
            out += filled(message[4], width, start, "      ")
    return out
