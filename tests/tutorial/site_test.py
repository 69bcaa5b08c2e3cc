#!/usr/bin/python3
"""Tests the site that ./lab docs makes: every link leads somewhere, every diagram is drawn, nothing is fetched."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77


class Html(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.fetched, self.figures = set(), [], [], 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "link":
            self.fetched.append(found["href"])
        if "src" in found:
            self.fetched.append(found["src"])
        self.figures += tag == "figure"


class Site(unittest.TestCase):
    def test_site(self):
        with tempfile.TemporaryDirectory() as directory:
            made = subprocess.run([ROOT / "docs/site/make_site.py", directory], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
            site = Path(directory).resolve()
            pages = {path: Html(path) for path in site.glob("**/*.html")}
            for path, page in pages.items():
                for link in page.links + page.fetched:
                    with self.subTest(page=path.relative_to(site), link=link):
                        self.check_link(link, path, page, pages)
                for fetched in page.fetched:
                    self.assertFalse(urlsplit(fetched).netloc, fetched)
            for source in (ROOT / "docs").glob("*.md"):
                text = source.read_text(encoding="utf-8")
                made = pages[site / "docs" / source.with_suffix(".html").name]
                self.assertEqual(made.figures, text.count("```mermaid"), source.name)

    def check_link(self, link, path, page, pages):
        parts = urlsplit(link)
        if parts.netloc or parts.scheme == "data":
            return
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        self.assertTrue(target.is_file())
        if parts.fragment:
            self.assertIn(unquote(parts.fragment), (pages[target] if parts.path else page).ids)


if __name__ == "__main__":
    for tool in ("pandoc", "mscgen", "dot"):
        if not shutil.which(tool):
            print(f"Skipped: no {tool} on this machine; ./lab docs installs it")
            sys.exit(SKIPPED)
    unittest.main()
