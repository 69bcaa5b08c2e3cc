"""A page as somebody reads it: piece by piece, with the questions that it asks before an experiment.

A box that begins with QUESTION may offer choices, and then a fold further down, behind the experiment, answers each:

    > **What do you think will happen?**             <details>
    > Ben connects, too.                             <summary>What did you say?</summary>
    >
    > - **A** It is refused.                         - **A** No. Somebody listens.
    > - **B** It waits.                              - **B** Right: …
                                                     </details>

The right one's answer begins with RIGHT, and no other does. Other folds are answers to the questions at a page's end.
"""

import re
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from page import PageError

QUESTION = "**What do you think will happen?**"
ANSWERS = "What did you say?"
RIGHT = "Right"
CHOICE = re.compile(r"^- \*\*([A-Z])\*\* ")
SUMMARY = re.compile(r"<summary>(.*?)</summary>")


@dataclass
class Question:
    line: int
    text: list  # without the choices
    choices: dict  # letter -> words; empty where the page offers none
    answers: dict = field(default_factory=dict)

    @property
    def right(self):
        return next(letter for letter, words in self.answers.items() if words.startswith(RIGHT))


@dataclass
class Piece:
    kind: str  # heading, text, block, drawing, question, answers, fold
    line: int  # counted from 1
    lines: list
    block: object = None
    question: Question = None
    summary: str = ""


def lettered(lines):
    """The items of a list whose items begin with a letter: letter -> words, a paragraph as one line."""
    items, letter = {}, None
    for line in lines:
        found = CHOICE.match(line)
        if found:
            letter = found[1]
            items[letter] = line[found.end():].strip()
        elif letter and line.strip():
            items[letter] += " " + line.strip()
    return items


def folds_of(lines, where):
    """The first and the last line of each <details>, counted from 0; none stands in another."""
    folds, begin, in_fence = [], None, False
    for number, line in enumerate(lines):
        text = line.strip()
        if text.startswith("```"):
            in_fence = not in_fence
        elif in_fence:
            continue
        elif text.startswith("<details>"):
            if begin is not None:
                raise PageError(f"{where}:{number + 1}: a fold in a fold")
            begin = number
        elif text == "</details>":
            if begin is None:
                raise PageError(f"{where}:{number + 1}: no fold ends here")
            folds.append((begin, number))
            begin = None
    if begin is not None:
        raise PageError(f"{where}:{begin + 1}: a fold without an end")
    return folds


def fold(lines, begin, end, where):
    inside = lines[begin: end + 1]
    summary = SUMMARY.search("\n".join(inside))
    if not summary:
        raise PageError(f"{where}:{begin + 1}: a fold must say what it holds: <summary>…</summary>")
    margin = len(inside[0]) - len(inside[0].lstrip())
    content = [line[margin:] for line in inside if "<details>" not in line and "<summary>" not in line
               and line.strip() != "</details>"]
    kind = "answers" if summary[1] == ANSWERS else "fold"
    return Piece(kind, begin + 1, content, summary=summary[1])


def question(lines, first):
    text = [line.removeprefix(">").removeprefix(" ") for line in lines]
    start = next((number for number, line in enumerate(text) if CHOICE.match(line)), len(text))
    return Question(first + 1, text[:start], lettered(text[start:]))


def pieces_of(page):
    lines = page.text.splitlines()
    folds = folds_of(lines, page.name)
    blocks = {block.line - 2: block for block in page.blocks}  # by the line of the fence, from 0
    pieces = []
    for token in MarkdownIt("commonmark").enable("table").parse(page.text):
        if token.level != 0 or token.map is None or token.nesting < 0:
            continue
        first, last = token.map
        if any(begin < first <= end for begin, end in folds):
            continue
        while last > first and not lines[last - 1].strip():
            last -= 1
        part = lines[first:last]
        if token.type == "heading_open":
            pieces.append(Piece("heading", first + 1, part))
        elif token.type == "fence":
            kind = "block" if first in blocks else "drawing"
            pieces.append(Piece(kind, first + 1, token.content.splitlines(), blocks.get(first)))
        elif token.type == "blockquote_open" and QUESTION in part[0]:
            pieces.append(Piece("question", first + 1, part, question=question(part, first)))
        elif token.type == "html_block" and not part[0].strip().startswith("<details>"):
            continue
        elif len(part) == 1 and re.fullmatch(r"\*\*.+\*\*", part[0]) and label_of_block(page, first + 1):
            continue
        else:
            pieces += text_and_folds(page, lines, first, last, folds)
    join_answers(page, pieces)
    return pieces


def label_of_block(page, line):
    """Whether this line tells the reader whose terminal the block below it is."""
    return any(block.label and block.comment_line - 1 == line for block in page.blocks)


def text_and_folds(page, lines, first, last, folds):
    """What stands there, cut where a fold begins and ends."""
    place = first
    for begin, end in folds:
        if first <= begin < last:
            if any(line.strip() for line in lines[place:begin]):
                yield Piece("text", place + 1, lines[place:begin])
            yield fold(lines, begin, end, page.name)
            place = end + 1
    if any(line.strip() for line in lines[place:last]):
        yield Piece("text", place + 1, lines[place:last])


def join_answers(page, pieces):
    """Gives each question the answers that follow it."""
    asked = None
    for piece in pieces:
        if piece.kind == "question" and piece.question.choices:
            if asked:
                break
            asked = piece.question
        elif piece.kind == "answers":
            where = f"{page.name}:{piece.line}"
            if not asked:
                raise PageError(f"{where}: answers to no question")
            asked.answers = lettered(piece.lines)
            if set(asked.answers) != set(asked.choices):
                raise PageError(f"{where}: answers to {', '.join(sorted(asked.answers))}; the choices are "
                                + ", ".join(sorted(asked.choices)))
            if [words.startswith(RIGHT) for words in asked.answers.values()].count(True) != 1:
                raise PageError(f"{where}: one answer must begin with {RIGHT}, and no other")
            piece.question, asked = asked, None
    if asked:
        raise PageError(f"{page.name}:{asked.line}: choices without a fold '{ANSWERS}' that answers them")
