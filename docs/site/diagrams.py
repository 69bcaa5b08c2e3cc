"""Draws the Mermaid that the pages use, with what Debian has: sequences with mscgen, flow charts with Graphviz."""

import re
import subprocess


class CannotDraw(Exception):
    """A line that nobody here knows how to draw."""


def svg(mermaid):
    """The drawing as SVG."""
    kind, *lines = [line.strip() for line in mermaid.strip().splitlines() if line.strip()]
    if kind == "sequenceDiagram":
        return run(["mscgen", "-T", "svg", "-i", "-", "-o", "-"], sequence(lines))
    if kind.startswith(("flowchart ", "graph ")):
        return run(["dot", "-T", "svg"], flow_chart(kind.split()[1], lines))
    raise CannotDraw(kind)


def run(command, text):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def quoted(text):
    text = re.sub(r"<br ?/?>", "\n", text)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


# ---- sequences ------------------------------------------------------------------------------------------------------

ARROWS = {"->>": "=>", "-->>": ">>", "->": "->", "-->": ">>", "-x": "-x", "--x": "-x", "-)": "=>>"}


def sequence(lines):
    participants, steps = [], []
    for line in lines:
        participant = re.fullmatch(r"(?:participant|actor) (\w+)(?: as (.*))?", line)
        note = re.fullmatch(r"Note (?:over|right of|left of) (\w+)(?:, *(\w+))?: *(.*)", line)
        message = re.fullmatch(r"(\w+) *(-?->>|-?->|-?-x|-\)) *(\w+) *: *(.*)", line)
        frame = re.fullmatch(r"(?:(par|and|loop|alt|else|opt)\b *(.*)|end)", line)
        if participant:
            participants.append(f"{participant[1]} [label={quoted(participant[2] or participant[1])}]")
        elif note:
            steps.append(f"{note[1]} rbox {note[2] or note[1]} [label={quoted(note[3])}, textbgcolour=\"#fff7d6\"]")
        elif frame:  # mscgen has no frames: a line across the drawing where one begins and ends
            steps.append(f"--- [label={quoted(frame[2] or '')}]")
        elif message:
            steps.append(f"{message[1]} {ARROWS[message[2]]} {message[3]} [label={quoted(message[4])}]")
        else:
            raise CannotDraw(line)
    width = 260 * len(participants)
    return f"msc {{ width = \"{width}\";\n" + ", ".join(participants) + ";\n" + "".join(f"{s};\n" for s in steps) + "}"


# ---- flow charts ----------------------------------------------------------------------------------------------------

NODE = r"(\w+) *(?:\[\[(.*?)\]\]|\[\((.*?)\)\]|\(\[(.*?)\]\)|\[(.*?)\]|\(\((.*?)\)\)|\((.*?)\)|\{\{(.*?)\}\}|\{(.*?)\})?"
EDGE = re.compile(r" *(-->|---|-\.->|-\.-|==>|<-->)(?:\|(.*?)\|)? *")
STYLES = {"-->": "", "---": "dir=none", "-.->": "style=dashed", "-.-": "style=dashed, dir=none", "==>": "penwidth=2",
          "<-->": "dir=both"}


def flow_chart(direction, lines):
    out = [f"digraph {{ rankdir={'TB' if direction == 'TD' else direction};",
           'node [shape=box, style="rounded,filled", fillcolor="#eef3fb", fontname="sans-serif"];',
           'edge [fontname="sans-serif", fontsize=11];']
    for number, line in enumerate(lines):
        subgraph = re.fullmatch(r"subgraph (?:\w+ *\[(.*)\]|(.*))", line)
        if subgraph:
            out.append(f"subgraph cluster_{number} {{ label={words(subgraph[1] or subgraph[2])};")
        elif line == "end":
            out.append("}")
        elif line.startswith("direction "):
            continue  # Graphviz has one for all
        else:
            out += statement(re.sub(r"-- +(.*?) +-->", r"-->|\1|", line))
    return "\n".join(out + ["}"])


def words(label):
    """A label's text: Mermaid puts it in quotation marks where it has signs of its own."""
    return quoted(label.strip().removeprefix('"').removesuffix('"'))


def statement(line):
    """A node, or nodes joined by edges: A["…"] -->|"…"| B --> C"""
    place, names, edges, out = 0, [], [], []
    while True:
        node = re.compile(NODE).match(line, place)
        if not node:
            raise CannotDraw(line)
        names.append(node[1])
        labels = [label for label in node.groups()[1:] if label is not None]
        if labels:
            out.append(f"{node[1]} [label={words(labels[0])}];")
        place = node.end()
        if not line[place:].strip():
            break
        edge = EDGE.match(line, place)
        if not edge:
            raise CannotDraw(line)
        edges.append((edge[1], edge[2]))
        place = edge.end()
    for one, other, (style, label) in zip(names, names[1:], edges):
        out.append(f"{one} -> {other} [{STYLES[style]}{', ' if STYLES[style] and label else ''}"
                   f"{'label=' + words(label) if label else ''}];")
    return out
