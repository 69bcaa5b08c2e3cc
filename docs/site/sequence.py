"""Mermaid's sequence diagrams: who says what to whom, from top to bottom."""

import re

from drawing import LINE, PADDING, CannotDraw, box, label, lines_of, path, size_of, svg, words

STEP = 30  # from one thing that happens to the next
LEAST = 130  # between two participants
HEAD = 34
FRAMES = ("par", "loop", "alt", "opt")
PARTICIPANT = re.compile(r"(?:participant|actor) (\w+)(?: as (.*))?")
NOTE = re.compile(r"Note over (\w+): *(.*)")
MESSAGE = re.compile(r"(\w+) *(-->>|->>) *(\w+) *: *(.*)")
FRAME = re.compile(r"(par|loop|alt|opt|and|else|end)\b *(.*)")


def draw(lines):
    names, happens = {}, []
    for line in lines:
        participant, note, message, frame = (kind.fullmatch(line) for kind in (PARTICIPANT, NOTE, MESSAGE, FRAME))
        if participant:
            names[participant[1]] = participant[2] or participant[1]
        elif note and note[1] in names:
            happens.append(("note", note[1], note[1], lines_of(note[2]), ""))
        elif message and message[1] in names and message[3] in names and message[1] != message[3]:
            happens.append(("message", message[1], message[3], [message[4]], "dashed" if message[2] == "-->>" else ""))
        elif frame:
            happens.append(("frame", frame[1], "", [frame[2]], ""))
        else:
            raise CannotDraw(line)
    columns = columns_of(names, happens)
    width = max(columns.values()) + beside(list(names)[-1], names, happens)
    parts, y, frames = [], HEAD + STEP, []
    for kind, one, other, said, style in happens:
        if kind == "frame":
            parts += frame_line(one, said, y, width, frames)
            y += STEP if one != "end" else STEP / 2
        elif kind == "note":
            more = (len(said) - 1) * LINE
            parts += [box(columns[one], y + more / 2, *size_of(said), "note"), words(columns[one], y + more / 2, said)]
            y += STEP + LINE / 2 + more
        else:
            begin, end = columns[one], columns[other]
            parts += [path(f"M{begin:.0f} {y + 7:.0f}H{end - 2 if begin < end else end + 2:.0f}", style),
                      label((begin + end) / 2, y - 6, said)]
            y += STEP + LINE / 2
    if frames:
        raise CannotDraw(f"{frames[-1][0]} without an end")
    before = []
    for name, shown in names.items():
        x = columns[name]
        before += [path(f"M{x:.0f} {HEAD}V{y:.0f}", "life", end=False),
                   box(x, HEAD / 2 + 1, size_of([shown])[0], HEAD - 4, who=shown), words(x, HEAD / 2, [shown], "words name")]
    return svg(width, y + PADDING, before + parts)


def columns_of(names, happens):
    """Where each participant stands: so far apart that what is between two of them has room."""
    order = list(names)
    room = [LEAST] * len(order)  # to the left of each
    for place, (one, other) in enumerate(zip(order, order[1:]), 1):
        room[place] = max(LEAST, (size_of([names[one]])[0] + size_of([names[other]])[0]) / 2 + PADDING)
    for kind, one, other, said, _ in happens:
        if kind == "message":
            low, high = sorted((order.index(one), order.index(other)))
            lacking = size_of(said)[0] + PADDING - sum(room[low + 1: high + 1])
            room[high] += max(0, lacking)
    room[0] = beside(order[0], names, happens)
    return {name: sum(room[: place + 1]) for place, name in enumerate(order)}


def beside(name, names, happens):
    """What the outermost needs towards the edge: half of its head, or of a note."""
    sizes = [size_of([names[name]])] + [size_of(said) for kind, one, _, said, _ in happens if kind == "note" and one == name]
    return max(width for width, _ in sizes) / 2 + 4


def frame_line(word, said, y, width, frames):
    """A frame is closed at its end; until then it is only known where it began."""
    if word in FRAMES:
        frames.append((word, y))
    elif not frames:
        raise CannotDraw(f"{word} outside of a frame")
    if word == "end":
        _, top = frames.pop()
        return [f'<rect class="frame" x="2" y="{top - LINE:.0f}" width="{width - 4:.0f}" height="{y - top + LINE:.0f}" rx="5"/>']
    between = [path(f"M2 {y - LINE:.0f}H{width - 2:.0f}", "dashed", end=False)] if word not in FRAMES else []
    return between + [words(width / 2, y - 5, [f"{word}: {said[0]}" if word in FRAMES else said[0]], "frame-name")]
