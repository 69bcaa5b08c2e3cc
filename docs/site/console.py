"""A console block as HTML: what is typed is bold, and can be copied. What is typed is what the replay types."""

import sys
from html import escape
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests/tutorial"))

from people import HUES, style_of  # noqa: E402
from steps import names_of, steps_of  # noqa: E402


class Stranger(Exception):
    """A terminal of somebody who has no colour yet."""


def typed_in(block):
    """line number -> [(begin, end) of what is typed there]"""
    typed = {}
    for step in steps_of(block):
        text = block.lines[step.line - block.line]
        if step.action == "line":
            typed.setdefault(step.line, []).append((len(step.prompt), len(step.prompt) + len(step.typed)))
        elif step.action == "key":
            begin = text.index("^" + step.typed)
            typed.setdefault(step.line, []).append((begin, begin + 2))
    return typed


def to_copy(block):
    """line number -> the text that is typed from there on, until the computer says something or a key is pressed"""
    copied, first, last = {}, None, None
    for step in steps_of(block):
        if step.action == "line" and last is not None and step.line == last + 1:
            copied[first] += "\n" + step.typed
        elif step.action == "line":
            first, copied[step.line] = step.line, step.typed
        last = step.line if step.action == "line" and not step.output else None
    return copied


def html(block):
    typed, copied = typed_in(block), to_copy(block)
    names = names_of(block) if block.kind == "terminal" else []
    strangers = [name for name in names if name not in HUES]
    if strangers:
        raise Stranger(f"{strangers[0]} has no colour: people.py gives them")
    shown = []
    for number, text in enumerate(block.lines, block.line):
        line, place = "", 0
        for begin, end in typed.get(number, []):
            line += escape(text[place:begin]) + f"<b>{escape(text[begin:end])}</b>" * (begin < end)
            place = end
        line += escape(text[place:])
        line += "\n"
        if copied.get(number):
            line = ('<span class="typed">'
                    f'<button hidden data-copy="{escape(copied[number])}" title="copy what is typed">copy</button>{line}</span>')
        shown.append(line)
    head = ", ".join(f"<span{style_of(name)}>{escape(name)}</span>" for name in names)
    head = f"<figcaption>{head}</figcaption>" if names else ""
    whose = style_of(names[0] if len(names) == 1 else "")
    return f'<figure class="console"{whose}>{head}<pre><code>{"".join(shown)}</code></pre></figure>\n'
