#!/usr/bin/python3
"""Makes a small static site of the tutorial, which works offline: `make_site.py DIRECTORY`, or one file to pass on:
`make_site.py NAME.zip`. What the pages link to in the repository comes along, so that every link works. A recording of the
observer becomes a page that plays it, where the observer is built: in build/bin, or where FIVE_PROGRAMS says."""

import os
import posixpath
import sys
import zipfile
from html import escape
from pathlib import Path

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

SKIPPED = 77  # what ctest is told to take for "skipped"
try:
    import recording
    from rendering import ROOT, Wrong, html_name, rendered, source, title_of
except ModuleNotFoundError as missing:
    print(f"Skipped: no {missing.name} for python3 here; ./lab docs installs it")
    sys.exit(SKIPPED)

HERE = Path(__file__).resolve().parent
OBSERVER = Path(os.environ.get("FIVE_PROGRAMS", ROOT / "build/bin")) / "observer"
START = "docs/README.md"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file knows: the same tree gives the same bytes
FRAME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{up}/style.css">
<script src="{up}/copy.js" defer></script>
<nav><a href="{up}/{start}">Five Servers</a></nav>
<main>
{content}</main>
</html>
"""
INDEX = '<!doctype html><meta http-equiv="refresh" content="0; url={start}"><a href="{start}">Five Servers: the tutorial</a>\n'


def site():
    """name -> bytes"""
    files = {name: (HERE / name).read_bytes() for name in ("style.css", "copy.js")}
    files["index.html"] = INDEX.format(start=html_name(START)).encode()
    # Hints and solutions of exercises come along only where a page leads to them.
    waiting = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md"))]
    done = set(waiting)
    while waiting:
        path = waiting.pop()
        html, linked, pictures = page(path)
        files[html_name(path)] = html.encode()
        files.update((picture, (ROOT / picture).read_bytes()) for picture in pictures)
        waiting += sorted(set(linked) - done)
        done.update(linked)
    return files


def page(path):
    """One page, the files of the repository that it links to, and the pictures that it shows."""
    if path.endswith(".jsonl") and OBSERVER.exists():
        return recording.html(OBSERVER, ROOT / path), [], []
    title, content, linked, pictures = path, "", [], []
    if path.endswith(".md"):
        text = (ROOT / path).read_text(encoding="utf-8")
        title = title_of(path, text)
        content, linked, pictures = rendered(path, text)
    else:
        content = source(path)
    up = posixpath.relpath(".", posixpath.dirname(path) or ".")
    return FRAME.format(title=escape(title), up=up, start=html_name(START), content=content), linked, pictures


def write(files, directory):
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)


def pack(files, target):
    """All of it below one directory, named as the file is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as packed:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{target.stem}/{name}", LONG_AGO)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, content, zipfile.ZIP_DEFLATED)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print("make_site: say where to: a directory, or a file whose name ends in .zip", file=sys.stderr)
        return 2
    if not OBSERVER.exists():
        print(f"there is no {OBSERVER}: recordings are shown as text; ./lab docs builds it", file=sys.stderr)
    try:
        files = site()
    except Wrong as why:
        print(f"make_site: {why}", file=sys.stderr)
        return 1
    target = Path(sys.argv[1])
    is_packed = target.suffix == ".zip"
    (pack if is_packed else write)(files, target)
    print(f"{target if is_packed else target / 'index.html'}: {len(files)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
