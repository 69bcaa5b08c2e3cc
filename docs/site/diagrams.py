"""Draws the Mermaid that the pages use, as SVG inside the page. What it does not understand is an error."""

import flow
import sequence
from drawing import CannotDraw


def svg(mermaid):
    """The drawing. CannotDraw names the line."""
    kind, *lines = [line.strip() for line in mermaid.strip().splitlines() if line.strip()]
    if kind == "sequenceDiagram":
        return sequence.draw(lines)
    if kind.startswith("flowchart "):
        return flow.draw(kind.split()[1], lines)
    raise CannotDraw(kind)
