"""A page of the tutorial: its blocks, what the comment above each block says of it, and its links."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)

# What a comment may say, by the kind of block below it. The first word is the one that makes the kind.
KEYS = {
    "terminal": {"terminal", "order", "vary", "range", "may come"},
    "source": {"source"},
    "diff": {"diff"},
    "not run": {"not run"},
    "not a source": {"not a source"},
    "ports": {"ports"},  # a page's own: stands anywhere
}
FENCES = {"console": {"terminal", "not run"}, "diff": {"diff"}}  # every other language: source, or why not
DRAWINGS = {"mermaid"}  # these show no text of anybody's


class PageError(Exception):
    """A page that cannot be understood: says where, and why."""


@dataclass
class Block:
    kind: str  # terminal, source, diff, not run, not a source
    facts: dict  # what the comment says: key -> list of values
    language: str
    line: int  # of the first line inside the fence, counted from 1
    lines: list
    comment_line: int = 0  # where the comment above it begins
    label: str = ""  # what stands above the comment in bold: whose terminal it is, for the reader

    def fact(self, key):
        return self.facts[key][0]


@dataclass
class Page:
    path: Path
    name: str  # as it is called in messages: relative to the repository
    text: str
    blocks: list = field(default_factory=list)
    links: list = field(default_factory=list)  # (line, target)
    headings: list = field(default_factory=list)
    ports: list = field(default_factory=lambda: ["1234"])

    def of_kind(self, *kinds):
        return [block for block in self.blocks if block.kind in kinds]


def played(root):
    """The pages that are replayed: the tutorial's, and the exercises'."""
    docs = root / "docs"
    return [*sorted(docs.glob("*.md")), docs / "exercises/README.md", *sorted(docs.glob("exercises/*/README.md"))]


def read_comment(text, where):
    """`key: value`, one a line."""
    facts = {}
    for line in text.strip().splitlines():
        key, colon, value = line.strip().partition(":")
        if not colon:
            return None  # a remark, for whoever edits the page
        facts.setdefault(key.strip(), []).append(value.strip())
    for kind, allowed in KEYS.items():
        if kind in facts:
            unknown = set(facts) - allowed
            if unknown:
                raise PageError(f"{where}: a comment of the kind '{kind}' cannot say '{unknown.pop()}'")
            return kind, facts
    return None


def plain(inline):
    """A heading's text, without its marks."""
    return "".join(child.content for child in inline.children if child.type in ("text", "code_inline"))


def anchors(headings):
    """The names that code hosts give to headings: lower case, spaces to hyphens, all else but letters, digits, _ out."""
    seen = {}
    for heading in headings:
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        yield slug if count == 0 else f"{slug}-{count}"


def links_of(token):
    for child in token.children or []:
        for attribute in ("href", "src"):
            if child.attrGet(attribute):
                yield token.map[0] + 1, child.attrGet(attribute)


def read(path, root):
    path = Path(path)
    name = str(path.resolve().relative_to(root)) if path.resolve().is_relative_to(root) else str(path)
    page = Page(path, name, path.read_text(encoding="utf-8"))
    tokens = MarkdownIt("commonmark").enable("table").parse(page.text)
    comment, comment_line = None, 0
    for previous, token in zip([None] + tokens, tokens):
        where = f"{name}:{token.map[0] + 1 if token.map else 1}"
        if token.type == "html_block":
            found = COMMENT.search(token.content)
            comment = read_comment(found.group(1), where) if found else None
            comment_line = token.map[0] + 1
            if comment and comment[0] == "ports":
                page.ports = comment[1]["ports"][0].split()
                comment = None
        elif token.type == "fence":
            add_block(page, token, comment, comment_line, where)
            comment = None
        elif comment and token.nesting == 0 or token.type.endswith("_open") and comment:
            raise PageError(f"{where}: the comment above belongs to a block, and none follows")
        if token.type == "inline":
            page.links.extend(links_of(token))
            if previous.type == "heading_open":
                page.headings.append(plain(token))
    return page


def add_block(page, token, comment, comment_line, where):
    language = token.info.split()[0] if token.info else ""
    if language in DRAWINGS:
        return
    allowed = FENCES.get(language, {"source", "not a source"})
    if comment is None or comment[0] not in allowed:
        raise PageError(f"{where}: above a block of {language or 'no language'}, a comment must say one of: "
                        + ", ".join(sorted(allowed)))
    block = Block(*comment, language, token.map[0] + 2, token.content.splitlines(), comment_line)
    above = page.text.splitlines()[comment_line - 2] if comment_line > 1 else ""
    label = re.fullmatch(r"\*\*(.+)\*\*", above)
    if block.kind == "terminal" and label:
        block.label = label[1]
        if label[1] != block.fact("terminal"):
            raise PageError(f"{where}: the reader is told that this is the terminal of {label[1]}, "
                            f"and the comment says {block.fact('terminal')}")
    page.blocks.append(block)
