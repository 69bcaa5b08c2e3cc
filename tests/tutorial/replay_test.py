#!/usr/bin/python3
"""Tests the replayer: whatever is wrong on a page must be found, with file, line, expected and got."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

HERE = Path(__file__).resolve().parent
PROGRAMS = os.environ.get("FIVE_PROGRAMS", str(HERE.parents[1] / "build/bin"))
SKIPPED = 77

try:
    import links
    import page as pages
    from compare import Rules, compare, is_same
    from pieces import pieces_of
    from steps import steps_of
    import terminal  # it needs what the machine may lack
except ModuleNotFoundError as missing:
    print(f"Skipped: no {missing.name} for python3 here; ./lab test installs it")
    sys.exit(SKIPPED)


def block(text, *facts):
    return pages.Block("terminal", {"terminal": ["one"], **dict(facts)}, "console", 1, text.splitlines())


class Ports(unittest.TestCase):
    def test_a_page_has_no_port_twice(self):
        drawn = iter([20001, 20001, 20002])
        with unittest.mock.patch.object(terminal.random, "randint", lambda low, high: next(drawn)), \
                unittest.mock.patch.object(terminal.socket.socket, "bind"):
            first = terminal.free_port()
            self.assertNotEqual(terminal.free_port({str(first)}), first)


    def test_etcd_has_ports_one_after_the_other_and_no_others_are_among_them(self):
        with tempfile.TemporaryDirectory() as directory:
            bench = terminal.Workbench(HERE, Path(directory), ["1234", "2379", "2381"])
            first = int(bench.ports["2379"])
            self.assertEqual(bench.ports["2383"], str(first + 4))
            self.assertEqual(len(set(bench.ports.values())), len(bench.ports))
            self.assertIn(f"--port {first}", Path(bench.directory, "lab").read_text(encoding="utf-8"))
            bench.remove()

    def test_the_chat_asks_the_etcd_of_its_page(self):
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "05_chat").write_text("#!/bin/sh\necho $*\n", encoding="utf-8")
            Path(directory, "05_chat").chmod(0o755)
            bench = terminal.Workbench(HERE, Path(directory), ["1234", "2379"])
            said = [subprocess.run([bench.directory / "build/bin/05_chat", *options.split()], capture_output=True, text=True,
                                   check=True).stdout for options in ("", "--engine etcd", "--engine etcd --etcd x")]
            port, etcd = bench.ports["1234"], bench.ports["2379"]
            bench.remove()
        self.assertEqual(said, [f"--port {port}\n", f"--port {port} --etcd http://127.0.0.1:{etcd} --engine etcd\n",
                                f"--port {port} --engine etcd --etcd x\n"])


class Comparing(unittest.TestCase):
    def same(self, expected, got, *facts, bindings=None):
        return is_same(expected, got, Rules(block("", *facts)), {} if bindings is None else bindings)

    def test_only_what_is_listed_may_vary(self):
        self.assertTrue(self.same("server started with pid 1", "server started with pid 23"))
        self.assertTrue(self.same("client 127.0.0.1:50514 came", "client 127.0.0.1:40404 came"))
        self.assertFalse(self.same("handler 7 came", "handler 8 came"))
        self.assertFalse(self.same("on 127.0.0.1:1234", "on 127.0.0.1:1235"))
        self.assertFalse(self.same("hello", "hello there"))

    def test_one_shown_value_stands_for_one_real_value(self):
        bindings = {}
        self.assertTrue(self.same("pid 1", "pid 23", bindings=bindings))
        self.assertFalse(self.same("pid 1", "pid 24", bindings=bindings))
        self.assertTrue(self.same("pid 2", "pid 24", bindings=bindings))

    def test_a_figure_must_be_in_its_range_on_the_page_and_in_fact(self):
        between = ("range", [r"took (\d+) ms in 10..20"])
        self.assertTrue(self.same("took 11 ms", "took 19 ms", between))
        self.assertFalse(self.same("took 11 ms", "took 21 ms", between))
        self.assertFalse(self.same("took 9 ms", "took 11 ms", between))

    def test_speakers_are_independent_and_each_keeps_its_order(self):
        expected = [(1, "handler 1 a"), (2, "handler 1 b"), (3, "handler 2 c")]
        rules = Rules(block("", ("order", ["each speaker"])))
        self.assertEqual(compare(expected, ["handler 2 c", "handler 1 a", "handler 1 b"], rules, {}), [])
        wrong = compare(expected, ["handler 1 b", "handler 1 a", "handler 2 c"], rules, {})
        self.assertEqual([(found.line, found.expected, found.got) for found in wrong],
                         [(1, "handler 1 a", "handler 1 b")])
        self.assertTrue(compare(expected, ["handler 1 a", "handler 1 b", "handler 3 c"], rules, {}))

    def test_what_may_come_is_not_compared_and_all_else_is(self):
        rules = Rules(block("", ("may come", ["(Erlang/OTP .*)?"])))
        expected = [(1, "$ iex"), (2, "Interactive Elixir")]
        self.assertEqual(compare(expected, ["$ iex", "Interactive Elixir"], rules, {}), [])
        self.assertEqual(compare(expected, ["$ iex", "Erlang/OTP 27 [64-bit]", "", "Interactive Elixir"], rules, {}), [])
        self.assertTrue(compare(expected, ["$ iex", "An Erlang/OTP 27", "Interactive Elixir"], rules, {}))
        self.assertTrue(compare(expected, ["$ iex", "Erlang/OTP 27"], rules, {}))
        self.assertTrue(compare(expected, ["$ iex", "", "Interactive Elixir"], Rules(), {}))

    def test_what_may_come_takes_rows_and_counts_for_nothing(self):
        rules = Rules(block("", ("may come", ["news.*"])))
        lines = ["a", "news 1", "news 2", "b", "c"]
        self.assertEqual([rules.rows_of(lines, count) for count in range(5)], [0, 1, 4, 5, 5])

    def test_a_process_id_in_what_may_vary_is_bound_to_nothing(self):
        bindings = {("process id", "4716"): ("process id", "8")}
        leads = ("member 2 (pid 4716) leads", "member 3 (pid 9) leads")
        self.assertTrue(self.same(*leads, ("vary", [r"(?<=^member )\d \(pid \d+\)"]), bindings=bindings))
        self.assertFalse(self.same(*leads, ("vary", [r"(?<=^member )\d"]), bindings=bindings))
        self.assertEqual(bindings, {("process id", "4716"): ("process id", "8")})

    def test_what_a_node_says_of_the_rooms_may_come_before_or_after_what_is_said_in_them(self):
        expected = [(1, "Ann says: One"), (2, "The rooms are back"), (3, "Ann says: Two")]
        rules = Rules(block("", ("order", ["each speaker"])))
        self.assertEqual(compare(expected, ["The rooms are back", "Ann says: One", "Ann says: Two"], rules, {}), [])
        self.assertTrue(compare(expected, ["The rooms are back", "Ann says: Two", "Ann says: One"], rules, {}))

    def test_missing_and_additional_lines_are_differences(self):
        self.assertTrue(compare([(1, "a"), (2, "b")], ["a"], Rules(), {}))
        self.assertTrue(compare([(1, "a")], ["a", "b"], Rules(), {}))


class Reading(unittest.TestCase):
    def page(self, text):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "page.md")
            path.write_text(text, encoding="utf-8")
            return pages.read(path, HERE)

    def test_steps(self):
        steps = steps_of(block("late\n$ telnet x\nhello ⏎\nECHO hello\ntelnet> quit ⏎\n^Cbye\n^C$ ls"))
        self.assertEqual([(step.action, step.prompt, step.typed) for step in steps],
                         [("", "", ""), ("line", "$ ", "telnet x"), ("line", "", "hello"),
                          ("line", "telnet> ", "quit"), ("key", "", "C"), ("key", "", "C"), ("line", "^C$ ", "ls")])
        self.assertEqual([text for _, text in steps[2].output], ["ECHO hello"])
        self.assertEqual([text for _, text in steps[4].output], ["^Cbye"])

    def test_a_block_must_say_what_it_is(self):
        for text in ("```console\n$ ls\n```\n", "<!-- source: a.cpp -->\n```console\n$ ls\n```\n",
                     "```cpp\nint i;\n```\n", "<!-- terminal: a; -->\n\nwords\n",
                     "<!--\n terminal: a\n colour: red\n-->\n```console\n```\n",
                     "**Ann**\n<!-- terminal: Ben -->\n```console\n$ ls\n```\n"):
            with self.subTest(text), self.assertRaises(pages.PageError):
                self.page(text)

    def test_a_question_has_choices_and_answers(self):
        page = self.page("# A\n\ntext\n\n> **What do you think will happen?**\n> It rains.\n>\n> - **A** No.\n> - **B** Yes,\n"
                         ">   a lot.\n\nmore\n\n<details>\n<summary>What did you say?</summary>\n\n- **A** Wrong.\n"
                         "- **B** Right: look\n  out.\n\n</details>\n\n1. Why?\n   <details>\n   <summary>Answer</summary>\n\n"
                         "   Rain.\n\n   </details>\n2. And?\n")
        pieces = pieces_of(page)
        self.assertEqual([piece.kind for piece in pieces],
                         ["heading", "text", "question", "text", "answers", "text", "fold", "text"])
        asked = pieces[2].question
        self.assertEqual((asked.choices, asked.answers, asked.right),
                         ({"A": "No.", "B": "Yes, a lot."}, {"A": "Wrong.", "B": "Right: look out."}, "B"))
        self.assertEqual([line.strip() for line in pieces[6].lines if line], ["Rain."])

    def test_a_question_without_its_answers_is_found(self):
        box = "> **What do you think will happen?**\n> - **A** No.\n> - **B** Yes.\n\n"
        fold = "<details>\n<summary>What did you say?</summary>\n\n{}\n\n</details>\n\n"
        for text, wrong in ((box, "choices without a fold"), (box + box, "choices without a fold"),
                            (box + fold.format("- **A** Right."), "the choices are A, B"),
                            (box + fold.format("- **A** Hm.\n- **B** Hm."), "one answer must begin with Right"),
                            (box + fold.format("- **A** Right.\n- **B** Right."), "one answer must begin with Right"),
                            (fold.format("- **A** Right."), "answers to no question"),
                            ("<details>\n\nx\n\n</details>\n", "a fold must say what it holds"),
                            ("<details>\n<summary>x</summary>\n", "a fold without an end")):
            with self.subTest(text), self.assertRaisesRegex(pages.PageError, wrong):
                pieces_of(self.page(text))

    def test_headings_have_the_anchors_of_code_hosts(self):
        page = self.page("# The `serve` loop, twice\n\n## A\n\n## A\n")
        self.assertEqual(list(pages.anchors(page.headings)), ["the-serve-loop-twice", "a", "a-1"])

    def test_links(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "page.md")
            path.write_text("# A b\n[1](#a-b) [2](#c) [3](gone.md) [4](https://example.org/a) [5](http://x)\n"
                            "[6](page.md#a-b) [7](page.md#d)\n", encoding="utf-8")
            found = [difference.got for difference in links.check(pages.read(path, HERE), path.parent.resolve())]
        self.assertEqual(found, ["no heading #c", "there is no file gone.md", "not a well-formed address",
                                 "no heading #d"])


class Replaying(unittest.TestCase):
    """The whole way: a page is changed in one place and replayed."""

    original = (HERE / "fixture.md").read_text(encoding="utf-8")

    def replay(self, text, *options):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "page.md")
            path.write_text(text, encoding="utf-8")
            done = subprocess.run([HERE / "replay.py", "--programs", PROGRAMS, "--patience", "10", *options, path],
                                  capture_output=True, text=True, timeout=100, check=False)
            if done.returncode == SKIPPED:
                self.skipTest(done.stdout)
            return done, path.read_text(encoding="utf-8")

    def test_the_page_as_it_is(self):
        done, _ = self.replay(self.original, "--mutate")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("9 blocks, 9 mutated", done.stdout)
        self.assertIn("not run: it would take the machine with it", done.stdout)

    def check_found(self, expected, got, old, new, at=""):
        """`at`: what the line says, where it is not what was expected."""
        self.assertIn(old, self.original)
        changed = self.original.replace(old, new, 1)
        done, _ = self.replay(changed)
        self.assertEqual(done.returncode, 1, done.stdout)
        message = f"differs\n  expected: {expected}\n  got:      {got}\n"
        lines = [number for number, line in enumerate(changed.splitlines(), 1) if line == (at or expected)]
        self.assertTrue(any(f"page.md:{line}: {message}" in done.stderr for line in lines), done.stderr)

    def test_a_changed_line(self):
        self.check_found("ECHO Hello", "ECHO hello", "ECHO hello", "ECHO Hello")

    def test_a_missing_line(self):
        self.check_found("server got data from client hello", "server waits for data",
                         "50514\nserver waits for data\n", "50514\n")

    def test_an_additional_line(self):
        self.check_found("server is bored", "server waits for client", "closed\nserver", "closed\nserver is bored\nserver")

    def test_another_order(self):
        self.check_found("handler 1 b", "handler 1 a", "handler 1 a\nhandler 1 b", "handler 1 b\nhandler 1 a")

    def test_a_figure_out_of_range(self):
        self.check_found("took 7 ms with joy", "took 15 ms with care", "echo took 5", "echo took 15")

    def test_something_else_typed(self):
        self.check_found("ECHO hello", "ECHO help", "hello ⏎", "help ⏎")

    def test_another_line_than_one_that_may_come(self):
        self.check_found("two", "old gossip", "news of version 3", "old gossip")

    def test_a_missing_end(self):
        rest = self.original[self.original.index("Terminated"):]
        self.check_found("nothing more in server's terminal", "Terminated", rest, "```\nthe end\n", at="```")

    def test_changed_code(self):
        self.check_found("    return 2 + number;", "    return 2 * number;", "return 2 *", "return 2 +")

    def test_a_changed_diff(self):
        self.check_found("+    return 4 * number;", "+    return 3 * number;", "return 3 *", "return 4 *")

    def test_update_writes_what_is_true(self):
        wrong = self.original.replace("ECHO hello\n", "").replace("waits for client\n```", "waits\n```")
        wrong = wrong.replace("return 2 *", "return 4 *").replace("Connection closed.\n", "Bye\n")
        done, updated = self.replay(wrong, "--update")
        self.assertEqual(done.returncode, 0, done.stderr)
        again, _ = self.replay(updated)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("ECHO hello\n^]\n", updated)
        self.assertEqual(updated, self.original)


if __name__ == "__main__":
    if not shutil.which("telnet"):
        print("Skipped: no telnet on this machine")
        sys.exit(SKIPPED)
    unittest.main()
