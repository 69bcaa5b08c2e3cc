#!/usr/bin/python3
"""Makes a small static site of the tutorial, which works offline: `make_site.py DIRECTORY`. Pages are rendered by pandoc;
what they link to in the repository comes along, so that every link works. A recording of the observer becomes a page that
plays it, where the observer is built: in build/bin, or where FIVE_PROGRAMS says."""

import os
import posixpath
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

import diagrams  # noqa: E402
import recording  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
OBSERVER = Path(os.environ.get("FIVE_PROGRAMS", ROOT / "build/bin")) / "observer"
SKIPPED = 77  # what ctest is told to take for "skipped"
START = "docs/README.md"
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".py": "python", ".exs": "elixir", ".ex": "elixir", ".sh": "bash"}
IMAGE = re.compile(r'<img [^>]*src="([^":]+)"')
HREF = re.compile(r'href="([^":#?]+)(#[^"]*)?"')


def html_name(path):
    """Where a file of the repository is in the site: pages are named as pages, other files get an ending."""
    return str(Path(path).with_suffix(".html")) if path.endswith(".md") else path + ".html"


def draw(text, path):
    """The page with drawings in place of what describes them."""

    def drawing(found):
        try:
            made = diagrams.svg(found[1])
        except diagrams.CannotDraw as line:
            sys.exit(f"{path}: cannot draw: {line}")
        # The file's own head, with a size in points, has no place inside a page.
        return "<figure>\n" + re.sub(r"(?s)^.*?(?=<svg)", "", made).replace("\n\n", "\n") + "\n</figure>\n"

    return re.sub(r"(?ms)^```mermaid\n(.*?)^```\n", drawing, text)


def markdown_of(path):
    if (ROOT / path).is_dir():
        return f"# {path}\n\n" + "".join(f"- `{entry.name}`\n" for entry in sorted((ROOT / path).iterdir()))
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".md"):
        return draw(re.sub(r"(?s)<!--.*?-->\n?", "", text), path)
    fence = "````"
    language = LANGUAGES.get(Path(path).suffix, "")
    return f"# {path}\n\n{fence}{language}\n{text}\n{fence}\n"


def render(path, output):
    """Writes one page; returns the files of the repository that it links to."""
    target = output / html_name(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.endswith(".jsonl") and OBSERVER.exists():
        target.write_text(recording.html(OBSERVER, ROOT / path), encoding="utf-8")
        return []
    text = markdown_of(path)
    up = posixpath.relpath(".", posixpath.dirname(path) or ".")
    heading = re.search(r"(?m)^# (.*)$", text)
    title = re.sub(r"[`*]", "", heading[1]) if heading else path
    navigation = f'<nav><a href="{up}/{html_name(START)}">Five Servers</a></nav>'
    html = subprocess.run(
        ["pandoc", "--standalone", "--from", "gfm", "--to", "html5", "--highlight-style", "tango",
         "--metadata", f"pagetitle={title}", "--css", f"{up}/style.css", "--variable", f"include-before={navigation}"],
        input=text, capture_output=True, text=True, check=True).stdout
    linked = []

    def link(found):
        target, anchor = found[1], found[2] or ""
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if target.endswith((".css", ".html")) or not (ROOT / inside).exists():
            return found[0]
        linked.append(inside)
        return f'href="{html_name(target.rstrip("/"))}{anchor}"'

    html = HREF.sub(link, html)
    for picture in IMAGE.findall(html):
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), picture))
        (output / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / inside, output / inside)
    target.write_text(html, encoding="utf-8")
    return linked


def main():
    missing = [tool for tool in ("pandoc", "mscgen", "dot") if not shutil.which(tool)]
    if missing:
        print(f"Skipped: no {', '.join(missing)} on this machine; ./lab docs installs it")
        return SKIPPED
    if not OBSERVER.exists():
        print(f"there is no {OBSERVER}: recordings are shown as text; ./lab docs builds it", file=sys.stderr)
    output = Path(sys.argv[1])
    # Hints and solutions of exercises come along only where a page leads to them.
    waiting = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md"))]
    done = set()
    with ThreadPoolExecutor(os.cpu_count()) as renderers:
        while waiting:
            done.update(waiting)
            linked = renderers.map(lambda path: render(path, output), waiting)
            waiting = sorted({path for paths in linked for path in paths} - done)
    shutil.copy(HERE / "style.css", output)
    (output / "index.html").write_text(
        f'<!doctype html><meta http-equiv="refresh" content="0; url={html_name(START)}">', encoding="utf-8")
    print(f"{output}/index.html: {len(done)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
