"""A page of the repository as HTML: its Markdown, with drawings drawn, consoles to copy from, and code in colours."""

import posixpath
import re
import sys
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter  # pylint: disable=no-name-in-module
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/tutorial"))

import console  # noqa: E402
import diagrams  # noqa: E402
import page as pages  # noqa: E402

LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".py": "python", ".exs": "elixir", ".ex": "elixir", ".sh": "bash"}
NEIGHBOURS = ("**Previous:**", "**Next:**")
COLOURS = HtmlFormatter(nowrap=True)


class Wrong(Exception):
    """A page that cannot be made: says where, and why."""


def html_name(path):
    """Where a file of the repository is in the site: pages are named as pages, other files get an ending."""
    return str(Path(path).with_suffix(".html")) if path.endswith(".md") else path + ".html"


def rendered(path, text):
    """The page as (HTML, files of the repository that it links to, pictures that it shows)."""
    return Page(path, text).render()


class Page:
    def __init__(self, path, text):
        self.path = path
        self.markdown = MarkdownIt("commonmark").enable("table")
        self.tokens = self.markdown.parse(text)
        # What is played says in comments whose terminal a block is; the other pages need no comments.
        self.is_played = ROOT / path in pages.played(ROOT)
        self.blocks = {block.line - 1: block for block in pages.read(ROOT / path, ROOT).blocks} if self.is_played else {}
        self.linked, self.pictures = [], []

    def render(self):
        headings = [(opening, pages.plain(inline)) for opening, inline in zip(self.tokens, self.tokens[1:])
                    if opening.type == "heading_open"]
        for (opening, _), anchor in zip(headings, pages.anchors([text for _, text in headings])):
            opening.attrSet("id", anchor)
        kept = []
        for token in self.tokens:
            if token.type == "fence":
                self.drop_label(kept, token.map[0] + 1)
                token.type, token.content = "html_block", self.block(token)
            elif token.type == "html_block":
                token.content = pages.COMMENT.sub("", token.content)
            elif token.type == "inline":
                self.follow(token)
                if token.content.startswith(NEIGHBOURS):
                    kept[-1].attrSet("class", "neighbours")
            kept.append(token)
        return self.markdown.renderer.render(kept, self.markdown.options, {}), self.linked, self.pictures

    def block(self, token):
        line, language = token.map[0] + 1, token.info.split()[0] if token.info else ""
        try:
            if language == "mermaid":
                return f'<figure class="diagram">{diagrams.svg(token.content)}</figure>\n'
            if language == "console":
                plain = pages.Block("not run", {}, language, line + 1, token.content.splitlines())
                return console.html(self.blocks.get(line, plain))
        except (diagrams.CannotDraw, console.Stranger) as why:
            raise Wrong(f"{self.path}:{line}: cannot draw: {why}") from why
        return f"<pre><code>{coloured(token.content, language)}</code></pre>\n"

    def drop_label(self, kept, line):
        """The name in bold above a console: the console's own head says it."""
        block = self.blocks.get(line)
        if block and block.label:
            at = next(place for place in range(len(kept) - 1, -1, -1) if kept[place].type == "paragraph_open")
            del kept[at:at + 3]

    def follow(self, token):
        """Links lead to what the files have become."""
        for child in token.children:
            for attribute in ("href", "src"):
                target, mark, anchor = (child.attrGet(attribute) or "").partition("#")
                if not target or ":" in target:
                    continue
                inside = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), target))
                if not (ROOT / inside).exists():
                    raise Wrong(f"{self.path}:{token.map[0] + 1}: a link to {target}, which is not there")
                if attribute == "src":
                    self.pictures.append(inside)
                else:
                    self.linked.append(inside)
                    child.attrSet("href", html_name(target.rstrip("/")) + mark + anchor)


def coloured(code, language):
    try:
        return highlight(code, get_lexer_by_name(language, stripnl=False), COLOURS)
    except ClassNotFound:
        return escape(code)


def source(path):
    """A file that is no page, or a directory, as a page."""
    if (ROOT / path).is_dir():
        names = sorted(entry.name for entry in (ROOT / path).iterdir() if entry.name != "__pycache__")
        listed = "".join(f"<li><code>{escape(name)}</code></li>\n" for name in names)
        return f"<h1>{escape(path)}</h1>\n<ul>\n{listed}</ul>\n"
    code = coloured((ROOT / path).read_text(encoding="utf-8"), LANGUAGES.get(Path(path).suffix, ""))
    return f"<h1>{escape(path)}</h1>\n<pre><code>{code}</code></pre>\n"


def title_of(path, text):
    heading = re.search(r"(?m)^# (.*)$", text)
    return re.sub(r"[`*]", "", heading[1]) if heading else path
