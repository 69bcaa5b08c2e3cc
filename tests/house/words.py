#!/usr/bin/env python3
"""People are they, programs are it: nobody in particular is never "he" in a source or on a page.

    words.py [ROOT]    says each "he" that means anybody, and ends with 1 where there is one
    words.py --itself  tries itself on sentences that are right and wrong

A man with a name stays "he": his name must stand in the same paragraph, at most `reach` lines above.
"""

import pathlib
import re
import sys

HE = re.compile(r"""(?<![\w`])(he|him|his|himself)\b(?!\\)""", re.IGNORECASE)
MEN = re.compile(r"\b(ben|michael|mikey|flood)\b", re.IGNORECASE)  # of our pages and tests
reach = 6
KINDS = {".cpp", ".hpp", ".md", ".py", ".sh", ".exs", ".escript", ".txt", ".verdict", ".css", ""}
SKIPPED = {".git", ".claude", "build", "seeds", "recordings", "LICENSE", "words.py"}


def generic(text):
    """Yields (line number, line) for each "he" that nobody's name explains."""
    paragraph = []
    for number, line in enumerate(text.splitlines(), 1):
        paragraph = [*paragraph[-reach:], line] if line.strip() else []
        if HE.search(line) and not any(MEN.search(each) for each in paragraph):
            yield number, line.strip()


def sources(root):
    for path in sorted(root.iterdir()):
        if path.name in SKIPPED or path.name.startswith("build"):
            continue
        if path.is_dir():
            yield from sources(path)
        elif path.suffix in KINDS:
            yield path


def look(root):
    found = 0
    for path in sources(root):
        for number, line in generic(path.read_text(encoding="utf-8", errors="replace")):
            print(f"{path.relative_to(root)}:{number}: who is he? {line}")
            found += 1
    print(f"{found} people without a name" if found else "people are they, programs are it")
    return 1 if found else 0


def try_itself():
    wrong = ["Whoever comes learns his place.", "He waits.", "the member\n\nand so he goes", "tell him", "\"his own words\""]
    right = ["Ben comes.\nHe waits.", "They wait.", "the others", "`he` and `llo`", r'"he\xff"', "michael.say(x);  // he is"]
    bad = [text for text in wrong if not list(generic(text))] + [text for text in right if list(generic(text))]
    for text in bad:
        print(f"wrongly judged: {text!r}")
    return 1 if bad else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--itself"]:
        sys.exit(try_itself())
    sys.exit(look(pathlib.Path(sys.argv[1] if sys.argv[1:] else ".")))
