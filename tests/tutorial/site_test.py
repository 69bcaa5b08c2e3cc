#!/usr/bin/python3
"""Tests the site that ./lab docs makes: every link leads somewhere, every diagram is drawn, what is typed is marked and can be
copied, nothing is fetched, and ./lab docs --pack makes the same file again."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

ROOT = Path(__file__).resolve().parents[2]
MAKE = ROOT / "docs/site/make_site.py"
SKIPPED = 77

PHONE = 375  # columns of pixels that a small screen has
sys.path += [str(ROOT / "docs/site"), str(ROOT / "tests/observer")]
try:
    import browser
    import console
    import diagrams
    import page as pages
    from rendering import Wrong, rendered
    from steps import steps_of
except ModuleNotFoundError as missing:
    print(f"Skipped: no {missing.name} for python3 here; ./lab test installs it")
    sys.exit(SKIPPED)


class Html(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.fetched, self.drawings, self.neighbours = set(), [], [], 0, []
        self.consoles = []  # of each: what is bold, line by line; and what the buttons copy
        self.inside = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.inside.append((tag, found.get("class")))
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
            if ("p", "neighbours") in self.inside:
                self.neighbours.append(found["href"])
        if tag == "link":
            self.fetched.append(found["href"])
        if "src" in found:
            self.fetched.append(found["src"])
        if tag == "figure" and found["class"] == "console":
            self.consoles.append(([], []))
        if tag == "button" and "data-copy" in found:
            self.consoles[-1][1].append(found["data-copy"])
        self.drawings += tag == "svg" and found.get("class") == "drawing"

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if ("b", None) in self.inside and ("figure", "console") in self.inside:
            self.consoles[-1][0].append(data)


def make(target):
    return subprocess.run([MAKE, target], capture_output=True, text=True, check=False)


def block(text):
    return pages.Block("not run", {}, "console", 1, text.splitlines())


class Site(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # What is looked at is what others are given: the packed site, unpacked.
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.packed = Path(cls.directory.name).resolve() / "five-servers.zip"
        cls.made = make(cls.packed)
        if cls.made.returncode == 0:
            with zipfile.ZipFile(cls.packed) as packed:
                packed.extractall(cls.packed.parent)
        cls.site = cls.packed.with_suffix("")
        cls.html = {path: Html(path) for path in cls.site.glob("**/*.html")}

    def setUp(self):
        self.assertEqual(self.made.returncode, 0, self.made.stdout + self.made.stderr)

    def of(self, source):
        return self.html[self.site / source.relative_to(ROOT).with_suffix(".html")]

    def test_every_link_leads_somewhere_and_nothing_is_fetched(self):
        self.assertIn(self.site / "index.html", self.html)
        for path, page in self.html.items():
            for link in page.links + page.fetched:
                with self.subTest(page=path.relative_to(self.site), link=link):
                    self.check_link(link, path, page)
            for fetched in page.fetched:
                self.assertFalse(urlsplit(fetched).netloc, fetched)
        for style in self.site.glob("**/*.css"):
            self.assertNotRegex(style.read_text(encoding="utf-8"), r"@import|url\(")

    def check_link(self, link, path, page):
        parts = urlsplit(link)
        if parts.netloc or parts.scheme == "data":
            return
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        self.assertTrue(target.is_file())
        if parts.fragment:
            self.assertIn(unquote(parts.fragment), (self.html[target] if parts.path else page).ids)

    def test_every_diagram_is_drawn(self):
        for source in pages.played(ROOT):
            self.assertEqual(self.of(source).drawings, source.read_text(encoding="utf-8").count("```mermaid"), source.name)

    def test_what_the_replay_types_is_bold_and_nothing_else(self):
        for source in pages.played(ROOT):
            consoles = [each for each in pages.read(source, ROOT).blocks if each.language == "console"]
            for each, (bold, _) in zip(consoles, self.of(source).consoles, strict=True):
                typed = ["^" + step.typed if step.action == "key" else step.typed for step in steps_of(each) if step.action]
                self.assertEqual(bold, [words for words in typed if words], f"{source.name}:{each.line}")

    def test_a_button_copies_what_is_typed_at_a_time(self):
        self.assertEqual(self.of(ROOT / "docs/01_naive.md").consoles[1][1], ["telnet 127.0.0.1 1234", "hello", "how are you?"])
        told = block("$ for i in 1 2; do\n> echo \"<$i>\"; done\n<1>\n<2>\n$ cat\na ⏎\na\n^C$ ls\ntelnet> quit ⏎")
        self.assertEqual(list(console.to_copy(told).values()), ['for i in 1 2; do\necho "<$i>"; done', "cat\na", "ls\nquit"])
        self.assertIn('data-copy="for i in 1 2; do\necho &quot;&lt;$i&gt;&quot;; done"', console.html(told))

    def test_each_chapter_leads_to_its_neighbours(self):
        table = re.findall(r"(?m)^\| \[.*?\]\((\w+)\.md\) \|.*\| \d+ \|$", (ROOT / "docs/README.md").read_text("utf-8"))
        self.assertGreater(len(table), 5)
        for before, name, behind in zip(["README", *table], table, [*table[1:], None]):
            wanted = [f"{each}.html" for each in (before, behind) if each]
            self.assertEqual(self.of(ROOT / f"docs/{name}.md").neighbours[:2], wanted, name)

    @unittest.skipUnless(browser.find(), "no browser here")
    def test_no_page_is_wider_than_a_phone_and_a_button_copies_also_where_the_clipboard_is_refused(self):
        with browser.Browser() as person:
            person.resize(PHONE, 2 * PHONE)
            for source in pages.played(ROOT):
                person.open(self.address(source))
                self.assertLessEqual(person.value("document.documentElement.scrollWidth"), PHONE, source)
            person.open(self.address(ROOT / "docs/01_naive.md"))
            person.value("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
            person.value("document.addEventListener('copy', () => { window.copied = getSelection().toString(); })")
            person.value("document.querySelector('button').focus()")
            person.press("Enter", 13, "\r")
            person.wait("document.activeElement.textContent === 'copied'")
            self.assertEqual(person.value("window.copied"), "./lab run 01")
            self.assertEqual(person.errors, [])

    def address(self, source):
        return (self.site / source.relative_to(ROOT).with_suffix(".html")).as_uri()

    def test_the_same_tree_makes_the_same_file(self):
        again = self.packed.with_name("again") / self.packed.name
        again.parent.mkdir()
        made = subprocess.run([MAKE, again], capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(again.read_bytes(), self.packed.read_bytes())


class Wrongs(unittest.TestCase):
    def test_a_diagram_that_is_not_understood_is_named(self):
        for text in ("pie", "flowchart RL\nA --> B", "flowchart TD\nA ==> B", "sequenceDiagram\nA->>B: hello",
                     "sequenceDiagram\nparticipant A\npar one"):
            with self.assertRaises(diagrams.CannotDraw, msg=text):
                diagrams.svg(text)
        with self.assertRaisesRegex(Wrong, r"^README\.md:3: cannot draw: A ~~ B$"):
            rendered("README.md", "# A page\n\n```mermaid\nflowchart TD\n    A ~~ B\n```\n")

    def test_a_link_to_nowhere_is_named(self):
        with self.assertRaisesRegex(Wrong, r"^README\.md:3: a link to nowhere\.md"):
            rendered("README.md", "# A page\n\n[there](nowhere.md)\n")

    def test_a_stranger_is_named(self):
        stranger = pages.Block("terminal", {"terminal": ["Zoe"]}, "console", 1, ["$ ls"])
        with self.assertRaisesRegex(console.Stranger, "Zoe"):
            console.html(stranger)


if __name__ == "__main__":
    unittest.main()
