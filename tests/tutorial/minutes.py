#!/usr/bin/python3
"""How long a chapter takes: people read WORDS_A_MINUTE, and type a line in SECONDS_A_LINE. minutes.py [PAGE...] says it of each
page, and is content where the page, the start page and the teachers' page say the same.

Read is what the page says, and what came in its terminals as far as a person reads that: its last lines. Code is read,
too. Folds are not counted, since few open them all."""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

SKIPPED = 77

try:
    import page as pages
    from pieces import pieces_of
    from steps import steps_of
except ModuleNotFoundError as missing:
    print(f"Skipped: no {missing.name} for python3 here; ./lab test installs it")
    sys.exit(SKIPPED)

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ("01_naive", "02_thread_per_client", "03_acceptor_pool", "04_supervised", "05_chat")
AFTERWARDS = ("05_etcd", "many_machines")
WORDS_A_MINUTE = 150
SECONDS_A_LINE = 12
LINES_READ = 6  # of what one thing that was typed brings
STEP = 5  # minutes: what a page says is rounded to these
HEADER = re.compile(r"^\*(\d+) minutes")
NOT_READ = {"mermaid", "fold", "answers"}


def words(lines):
    text = re.sub(r"\]\([^)]*\)", "]", " ".join(lines))  # where a link leads to is not read
    return len(re.findall(r"\w[\w'.:-]*", text))


def count(page):
    """Words that are read, and lines that are typed."""
    read = typed = 0
    for piece in pieces_of(page):
        if piece.kind in NOT_READ:
            continue
        if piece.kind == "block" and piece.block.kind == "terminal":
            for step in steps_of(piece.block):
                typed += 1 if step.action == "line" else 0
                read += words([text for _, text in step.output[-LINES_READ:]])
        elif piece.kind != "drawing":
            read += words(piece.lines)
    return read, typed


def minutes(page):
    read, typed = count(page)
    return max(STEP, STEP * round((read / WORDS_A_MINUTE + typed * SECONDS_A_LINE / 60) / STEP))


def said_in_table(name):
    """What the start page says of a chapter."""
    row = re.search(rf"(?m)^\| \[.*?\]\({re.escape(name)}\) \|.*\| (\d+) \|$", (ROOT / "docs/README.md").read_text("utf-8"))
    return int(row[1]) if row else None


def what_is_wrong(page):
    real = minutes(page)
    found = next((match for match in map(HEADER.match, page.text.splitlines()) if match), None)
    said = int(found[1]) if found else None
    for where, figure in ((page.name, said), ("docs/README.md", said_in_table(page.path.name))):
        if figure is not None and figure != real:
            yield f"{where}: {page.path.name} takes {real} minutes, and not {figure}"


def check_sums(all_minutes):
    """The teachers' page lists and adds the chapters' minutes, and tells those of what comes afterwards."""
    text = " ".join((ROOT / "docs/teaching.md").read_text(encoding="utf-8").split())
    *first, last = chapters = [all_minutes[f"{name}.md"] for name in CHAPTERS]
    end, many = (all_minutes[f"{name}.md"] for name in AFTERWARDS)
    for wanted in (f"take {', '.join(map(str, first))} and {last} minutes to read and do, {sum(chapters)} together",
                   f"[The end of the fifth](05_etcd.md) takes {end} more, and [many machines](many_machines.md) {many}."):
        if wanted not in text:
            yield f"docs/teaching.md: it should say: {wanted}"


def main():
    paths = [Path(name) for name in sys.argv[1:]] or [ROOT / f"docs/{name}.md" for name in CHAPTERS + AFTERWARDS]
    wrong, all_minutes = [], {}
    for path in paths:
        page = pages.read(path, ROOT)
        read, typed = count(page)
        all_minutes[path.name] = minutes(page)
        print(f"{page.name}: {read} words, {typed} lines typed: {all_minutes[path.name]} minutes")
        wrong += what_is_wrong(page)
    if not sys.argv[1:]:
        wrong += check_sums(all_minutes)
    for each in wrong:
        print(each, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
