#!/usr/bin/python3
"""What a student may rely on in the pages: an answer below each question, a way on and back, every trouble on its page."""

import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

SKIPPED = 77

try:
    import page as pages
    from pieces import pieces_of
except ModuleNotFoundError as missing:
    print(f"Skipped: no {missing.name} for python3 here; ./lab test installs it")
    sys.exit(SKIPPED)

DOCS = Path(__file__).resolve().parents[2] / "docs"
CHAPTERS = ["README", "01_naive", "02_thread_per_client", "03_acceptor_pool", "04_supervised", "05_chat"]


def text(name):
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def section(name, heading):
    return re.search(rf"(?ms)^## {re.escape(heading)}$\n(.*?)(?=^## |\Z)", text(name))[1]


def rows(markdown):
    """The first cells of its tables, without the heads."""
    return [line.split(" | ")[0].lstrip("| ") for line in markdown.splitlines()
            if line.startswith("| ") and not line.startswith(("| ---", "| what "))]


class Pages(unittest.TestCase):
    def test_the_first_thing_that_is_typed_starts_a_server(self):
        page = pages.read(DOCS / "01_naive.md", DOCS.parent)
        self.assertEqual(page.of_kind("terminal")[0].lines[0], "$ ./lab run 01")

    def test_what_a_chapter_types_is_built_by_its_lab_run(self):
        lab = (DOCS.parent / "lab").read_text(encoding="utf-8")
        for name in CHAPTERS[1:]:
            with self.subTest(name):
                typed = set(re.findall(r"(?m)^\$ .*?build/bin/(\w+)", text(name)))
                besides = re.search(rf"(?m)^ +{name[:2]}_\*\) targets\+=\((.*)\) ;;$", lab)
                built = {name, "echo_client", *(besides[1].split() if besides else [])}
                self.assertEqual(typed - built, set())

    def test_each_question_has_an_answer_folded_below_it(self):
        for name in [*CHAPTERS[1:], "05_etcd", "many_machines"]:
            with self.subTest(name):
                questions = section(name, "Questions")
                each = re.split(r"(?m)^\d+\. ", questions)[1:]
                self.assertGreater(len(each), 3)
                self.assertEqual([one for one in each if one.count("<summary>Answer</summary>") != 1], [])

    def test_each_prediction_has_choices(self):
        for name in [*CHAPTERS[1:], "05_etcd"]:
            with self.subTest(name):
                asked = [piece.question for piece in pieces_of(pages.read(DOCS / f"{name}.md", DOCS.parent))
                         if piece.kind == "question"]
                self.assertGreater(len(asked), 0)
                self.assertEqual([one.text for one in asked if len(one.choices) < 2], [])

    def test_each_chapter_leads_on_and_back(self):
        for before, name, after in zip(CHAPTERS, CHAPTERS[1:], CHAPTERS[2:]):
            with self.subTest(name):
                end = " ".join(text(name).strip().splitlines()[-2:])
                self.assertIn(f"]({before}.md)", end[end.index("**Previous:**"):end.index("**Next:**")])
                self.assertIn(f"]({after}.md)", end[end.index("**Next:**"):])

    def test_what_students_get_wrong_is_on_their_page_of_troubles(self):
        known = rows(text("troubleshooting"))
        wrong = rows(section("teaching", "Mistakes that students make"))
        self.assertGreater(len(wrong), 15)
        aliases = {"they type into the server's window": "you type, and nothing answers"}
        self.assertEqual([one for one in wrong if aliases.get(one, one) not in known], [])


if __name__ == "__main__":
    unittest.main()
