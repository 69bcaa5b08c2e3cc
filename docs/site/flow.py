"""Mermaid's flow charts. Each node stands one row behind those that lead to it; in a row, near the middle of these."""

import re
from dataclasses import dataclass, field

from drawing import LINE, PADDING, CannotDraw, box, label, lines_of, path, size_of, svg, words

BESIDE, BETWEEN, ROUND = 26, 46, 13  # between nodes of a row, between rows, and around a group
AROUND = 70  # how far aside a line goes around other rows
BEND = 40  # in which a line goes from one place to the other
SWEEPS = 12  # until the rows have settled
NODE = re.compile(r"(\w+)(?:\[(.*?)\])? *")
EDGE = re.compile(r"(<-->|-->|---|-\.->|-\.-)(?:\|(.*?)\|)? *")
GROUP = re.compile(r"subgraph \w+ *\[(.*)\]")


@dataclass
class Node:
    lines: list
    group: str
    row: int = 0
    place: float = 0  # the middle, in its row
    size: tuple = (0, 0)  # in its row, and across the rows
    at: float = 0  # the middle of its row


@dataclass
class Chart:
    nodes: dict = field(default_factory=dict)
    edges: list = field(default_factory=list)  # from, to, arrow, label's lines
    across: bool = False  # rows are columns


def draw(direction, lines):
    if direction not in ("TD", "TB", "LR"):
        raise CannotDraw(f"flowchart {direction}")
    chart = read(lines, direction == "LR")
    rows = rows_of(chart)
    for node in chart.nodes.values():
        node.size = size_of(node.lines)[::-1] if chart.across else size_of(node.lines)
    settle(chart, rows)
    stand(chart, rows)
    return picture(chart)


# ---- reading --------------------------------------------------------------------------------------------------------


def read(lines, across):
    chart, group = Chart(across=across), ""
    for line in lines:
        found = GROUP.fullmatch(line)
        if found:
            group = found[1]
        elif line == "end":
            group = ""
        else:
            statement(chart, line, group)
    return chart


def statement(chart, line, group):
    """A node, or nodes joined by edges: A["…"] -->|"…"| B --> C"""
    place, last, edge = 0, None, None
    while True:
        node = NODE.match(line, place)
        if not node:
            raise CannotDraw(line)
        known = chart.nodes.setdefault(node[1], Node([node[1]], group))
        if node[2]:
            known.lines = lines_of(node[2])
        if edge:
            chart.edges.append((last, node[1], edge[1], lines_of(edge[2]) if edge[2] else []))
        last, place = node[1], node.end()
        if place == len(line):
            return
        edge = EDGE.match(line, place)
        if not edge:
            raise CannotDraw(line)
        place = edge.end()


# ---- where everything stands ----------------------------------------------------------------------------------------


def rows_of(chart):
    """Edges that lead back to where they came from do not count. [names of each row]"""
    forward = []

    def leads(one, other):
        return one == other or any(leads(next_one, other) for start, next_one in forward if start == one)

    for one, other, *_ in chart.edges:
        if not leads(other, one):
            forward.append((one, other))
    for _ in chart.nodes:
        for one, other in forward:
            chart.nodes[other].row = max(chart.nodes[other].row, chart.nodes[one].row + 1)
    rows = [[] for _ in range(1 + max(node.row for node in chart.nodes.values()))]
    for name, node in chart.nodes.items():
        rows[node.row].append(name)
    return rows


def settle(chart, rows):
    """Places in the rows: each node wants to be in the middle of its neighbours, and the row's order stays."""
    for turn in range(SWEEPS):
        for row in rows if turn % 2 == 0 else rows[::-1]:
            wanted = []
            for name in row:
                node = chart.nodes[name]
                near = [chart.nodes[other].place for pair in chart.edges for one, other in (pair[:2], pair[1::-1])
                        if one == name and abs(chart.nodes[other].row - node.row) == 1]
                wanted.append(sum(near) / len(near) if near else node.place)
            part(chart, row, wanted)
    least = min(node.place - node.size[0] / 2 for node in chart.nodes.values())
    for node in chart.nodes.values():
        node.place -= least


def part(chart, row, wanted):
    """As near to what they want as they have room; whoever is pushed aside pushes the others as far to the other side."""
    ends, place = [], float("-inf")
    for name, want in zip(row, wanted):
        width = chart.nodes[name].size[0] + BESIDE + (ROUND * 2 + PADDING if chart.nodes[name].group else 0)
        place = max(place, want - width / 2)
        ends.append((name, place, width))
        place += width
    pushed = sum(begin + width / 2 - want for (_, begin, width), want in zip(ends, wanted)) / len(row)
    for name, begin, width in ends:
        chart.nodes[name].place = begin + width / 2 - pushed


def stand(chart, rows):
    """Where each row is: between two of them is room for what stands on their edges, and for the ends of groups."""
    along, groups = 0, {}
    for name, node in chart.nodes.items():
        groups.setdefault(node.group, []).append(node.row)
    for number, row in enumerate(rows):
        deep = max(chart.nodes[name].size[1] for name in row)
        labels = [size_of(said) for one, other, _, said in chart.edges
                  if said and max(chart.nodes[one].row, chart.nodes[other].row) == number]
        if number:
            along += BETWEEN + max((size[0] if chart.across else size[1] for size in labels), default=-PADDING) + PADDING
        if any(group and min(in_rows) == number for group, in_rows in groups.items()):
            along += ROUND if chart.across else ROUND + LINE
        for name in row:
            chart.nodes[name].at = along + deep / 2
        along += deep
        if any(group and max(in_rows) == number for group, in_rows in groups.items()):
            along += ROUND


# ---- drawing --------------------------------------------------------------------------------------------------------


def picture(chart):
    def turned(place, at):
        return (at, place) if chart.across else (place, at)

    boxes, lines, over, groups, edge = [], [], [], {}, [0, 0, 0, 0]

    def covers(x, y, width, height):
        edge[:] = (min(edge[0], x - width / 2), min(edge[1], y - height / 2),
                   max(edge[2], x + width / 2), max(edge[3], y + height / 2))

    for node in chart.nodes.values():
        x, y = turned(node.place, node.at)
        width, height = turned(*node.size) if not chart.across else node.size[::-1]
        boxes += [box(x, y, width, height, who=node.lines[0]), words(x, y, node.lines)]
        covers(x, y, width, height)
        if node.group:
            groups.setdefault(node.group, []).append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    behind = []
    for name, corners in groups.items():
        left, top = min(c[0] for c in corners) - ROUND, min(c[1] for c in corners) - ROUND - LINE
        right, bottom = max(c[2] for c in corners) + ROUND, max(c[3] for c in corners) + ROUND
        right = max(right, left + size_of([name])[0])
        behind += [box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, "group"),
                   words(left + PADDING, top + LINE * 0.7, [name], "group-name")]
        covers((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    starts, ends = [edge[0] for edge in chart.edges], [edge[1] for edge in chart.edges]
    for one, other, arrow, said in chart.edges:
        points, middle = way(chart.nodes[one], chart.nodes[other], starts.count(one) - ends.count(other), turned)
        lines.append(path(points, "dashed" if "." in arrow else "", end=arrow.endswith(">"), begin=arrow.startswith("<")))
        if said:
            over.append(label(*middle, said))
            covers(*middle, *size_of(said))
        covers(*middle, 2, 2)
    left, top, right, bottom = edge
    moved = f'<g transform="translate({PADDING - left:.0f} {PADDING - top:.0f})">'
    return svg(right - left + 2 * PADDING, bottom - top + 2 * PADDING, [moved, *behind, *lines, *boxes, *over, "</g>"])


def way(start, end, more, turned):
    """A line from one node to the other, and the middle of its label. One that goes back past other rows goes around them.
    Where `more` lines leave than arrive, or fewer, each is straight at the end where it is alone: there its label has room."""
    if abs(start.row - end.row) > 1:
        side = min(start.place - start.size[0] / 2, end.place - end.size[0] / 2)
        far = side - AROUND
        points = ((start.place - start.size[0] / 2, start.at), (far, start.at), (far, end.at),
                  (end.place - end.size[0] / 2, end.at))
        return curve(turned, points), turned(far + AROUND / 4, (start.at + end.at) / 2)
    down = 1 if start.at < end.at else -1
    first, last = start.at + down * start.size[1] / 2, end.at - down * end.size[1] / 2
    knee_first = last - down * BEND if more < 0 else first
    knee_last = first + down * BEND if more > 0 else last
    bend = (knee_first + knee_last) / 2
    points = (start.place, knee_first), (start.place, bend), (end.place, bend), (end.place, knee_last)
    at = start.place if more < 0 else end.place if more > 0 else (start.place + end.place) / 2
    middle = (first + knee_first) / 2 if more < 0 else (last + knee_last) / 2 if more > 0 else bend
    return curve(turned, ((start.place, first), *points, (end.place, last))), turned(at, middle)


def curve(turned, points):
    """Four points are a curve; one before and one behind them are joined to it by straight lines."""
    shown = [" ".join(f"{value:.0f}" for value in turned(*point)) for point in points]
    if len(shown) == 4:
        return f"M{shown[0]}C{','.join(shown[1:])}"
    before, *four, behind = shown
    begin = f"M{before}L{four[0]}" if before != four[0] else f"M{before}"
    return f"{begin}C{','.join(four[1:])}" + (f"L{behind}" if behind != four[-1] else "")
