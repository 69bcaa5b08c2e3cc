#!/usr/bin/python3
"""Replays pages of the tutorial against the real programs: see README.md beside this file."""

import argparse
import shutil
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

SKIPPED = 77  # what ctest is told to take for "skipped"

try:
    import links
    import mutate
    import page as pages
    import sources
    from pieces import pieces_of
    from session import Differs, Session
    from terminal import Workbench
except ModuleNotFoundError as missing:
    print(f"Skipped: no {missing.name} for python3 here; ./lab test installs it")
    sys.exit(SKIPPED)

ROOT = Path(__file__).resolve().parents[2]
OUTSIDERS = ("telnet", "nc", "ss", "iex", "elixir", "erl", "epmd", "etcd", "etcdctl")  # programs that a page may use, and a machine may lack


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", type=Path, help="by default the tutorial's and the exercises'")
    parser.add_argument("--update", action="store_true", help="rewrite what differs, for review")
    parser.add_argument("--mutate", action="store_true", help="check that a change of any checked line is noticed")
    parser.add_argument("--programs", type=Path, default=ROOT / "build/bin", help="where the programs are")
    parser.add_argument("--patience", type=float, default=20, metavar="SECONDS", help="how long a line is waited for")
    return parser.parse_args()


def missing_programs(page):
    words = {word for block in page.of_kind("terminal") for line in block.lines if line.startswith("$ ")
             for word in line.split()}
    return [program for program in OUTSIDERS if program in words and not shutil.which(program)]


def rewrite(page, edits):
    lines = page.text.split("\n")
    # From the end, so that line numbers stay true; of two at the same line, the later one first.
    for first, count, new in sorted(reversed(edits), key=lambda edit: edit[0], reverse=True):
        lines[first - 1: first - 1 + count] = new
    text = "\n".join(lines)
    if text != page.text:
        page.path.write_text(text, encoding="utf-8")
        print(f"{page.name}: rewritten; look at it with git diff")


def check_quotes(page, update):
    differences, edits = [], []
    for block in page.of_kind("source", "diff"):
        found = sources.check(block, page, ROOT)
        if found and update:
            edits.append((block.line, len(block.lines), sources.renewed(block, page, ROOT)))
        else:
            differences += found
    return differences, edits


def replay(page, options):
    """Returns the differences; in an update, rewrites the page. Prints what was done."""
    began = time.monotonic()
    differences, edits = check_quotes(page, options.update)
    differences += links.check(page, ROOT)
    pieces_of(page)  # what it asks must be answered
    records = []
    if page.of_kind("terminal"):
        solved = page.path.resolve().parent
        solved = solved if (solved / "solution").is_dir() else None
        bench = Workbench(ROOT, options.programs.resolve(), page.ports, solved=solved)
        try:
            session = Session(page, bench, options.patience, options.update)
            session.play()
            records = session.records
        except Differs as found:
            differences += found.differences
        finally:
            bench.remove()
            edits += session.edits
    unnamed = [block for block in page.of_kind("terminal") if not block.label]
    if options.update:
        edits += [(block.comment_line, 0, [f"**{block.fact('terminal')}**"]) for block in unnamed]
        rewrite(page, edits)
    elif unnamed:
        print(f"{page.name}: {len(unnamed)} blocks do not tell the reader whose terminal it is; --update adds it")
    counts = ", ".join(f"{len(page.of_kind(kind))} {what}" for kind, what in
                       (("terminal", "console blocks"), ("source", "code blocks"), ("diff", "diffs")))
    print(f"{page.name}: {counts}, {len(page.links)} links: "
          f"{'differs' if differences else 'as shown'} ({time.monotonic() - began:.1f} s)")
    for block in page.of_kind("not run", "not a source"):
        print(f"{page.name}:{block.line}: {block.kind}: {block.fact(block.kind)}")
    if options.mutate and not differences:
        differences += mutated(page, records)
    return differences


def mutated(page, records):
    tally, missed = mutate.check(page, records, ROOT)
    print(f"{page.name}: {tally.blocks} blocks, {tally.mutated} mutated ({tally.changes} lines, one at a time), "
          f"{tally.caught} of {tally.changes} caught")
    return missed


def main():
    options = arguments()
    result = 0
    for path in options.pages or pages.played(ROOT):
        try:
            page = pages.read(path, ROOT)
            missing = missing_programs(page)
            if missing:
                print(f"Skipped: {page.name}: no {', '.join(missing)} on this machine")
                result = result or SKIPPED
                continue
            differences = replay(page, options)
        except (pages.PageError, OSError) as error:
            print(error, file=sys.stderr)
            result = 1
            continue
        for difference in differences:
            print(difference if isinstance(difference, str) else difference.show(page.name), file=sys.stderr)
            result = 1
    return result


if __name__ == "__main__":
    sys.exit(main())
