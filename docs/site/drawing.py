"""What the drawings are made of: boxes, lines and words as SVG. style.css says in which colours, by day and by night."""

import re
from html import escape

from people import style_of

LINE = 19  # from one line of words to the next
PADDING = 11  # between words and the box around them
NARROW, WIDE = "iljtfr.,:;|!'()[]{} ", "mwMW…—@%"


class CannotDraw(Exception):
    """A line that nobody here knows how to draw."""


def lines_of(label):
    """A label's lines: Mermaid puts it in quotation marks where it has signs of its own."""
    return re.split(r"<br ?/?>", label.strip().removeprefix('"').removesuffix('"'))


def width_of(line):
    """Pixels, rather too many: nobody knows which font the reader has."""
    return sum(5 if sign in NARROW else 13 if sign in WIDE else 10 if sign.isupper() else 9.2 for sign in line)


def size_of(lines):
    return max(map(width_of, lines)) + 2 * PADDING, len(lines) * LINE + PADDING


def words(x, y, lines, kind="words"):
    """Around this middle."""
    top = y - (len(lines) - 1) * LINE / 2 + 5
    spans = "".join(f'<tspan x="{x:.0f}" y="{top + number * LINE:.0f}">{escape(line)}</tspan>'
                    for number, line in enumerate(lines))
    return f'<text class="{kind}">{spans}</text>'


def label(x, y, lines):
    """Words that stand on a line, which must not go through them."""
    width, height = size_of(lines)
    return box(x, y, width - PADDING, height - PADDING / 2, kind="behind") + words(x, y, lines, "label")


def box(x, y, width, height, kind="box", who=""):
    return (f'<rect class="{kind}"{style_of(who)} x="{x - width / 2:.0f}" y="{y - height / 2:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" rx="5"/>')


def path(points, kind="", end=True, begin=False):
    arrows = (' marker-end="url(#arrow)"' if end else "") + (' marker-start="url(#arrow)"' if begin else "")
    return f'<path class="line {kind}" d="{points}"{arrows}/>'


def svg(width, height, parts):
    # Ids are the page's: every drawing brings the same arrow, and each finds one.
    arrow = ('<defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="7" markerHeight="7" '
             'orient="auto-start-reverse"><path class="head" d="M0 0L10 5L0 10z"/></marker></defs>')
    return (f'<svg class="drawing" role="img" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
            f'{arrow}{"".join(parts)}</svg>')
