"""Walks through exercises as a student does, at a desk of its own, and tries what checks are made of:
exercise_test.py BUILD_DIR"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv.pop(1))


class Walk(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.desk = pathlib.Path(self.place.name) / "exercises"

    def command(self, *words):
        return [sys.executable, "-B", str(HERE / "exercise.py"), "--build-dir", str(BUILD), "--desk", str(self.desk), *words]

    def watching(self):
        """Somebody at one_for_all, who has been told what is checked again."""
        watching = subprocess.Popen(self.command("watch", "one_for_all"), text=True, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT)
        self.addCleanup(watching.kill)
        self.read_until(watching, "it is checked again")
        return watching

    def lab(self, *words, status=0):
        done = subprocess.run(self.command(*words), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def test_from_the_first_look_to_the_solution(self):
        self.assertIn("0 of ", self.lab())
        self.assertIn("you have not begun it", self.lab("check", "one_for_all", status=2))
        self.assertIn("tree.scenario", self.lab("one_for_all"))
        self.assertIn("begun", self.lab())
        said = self.lab("check", "one_for_all", status=1)
        self.assertIn("not yet", said)
        self.assertIn("To try it by hand: ./lab supervise ", said)
        mine = self.desk / "one_for_all" / "tree.scenario"
        shutil.copyfile(HERE / "one_for_all/solution/tree.scenario", mine)
        self.assertIn("as you left it", self.lab("one_for_all"))
        self.assertIn("passed", self.lab("check", "one_for_all"))
        self.assertIn("1 of ", self.lab())
        self.assertIn("one_for_all", self.lab("solution", "one_for_all"))

    def test_a_reader_who_has_seen_enough_is_no_mistake(self):
        for words in (["list"], ["hint", "one_for_all"], ["solution", "one_for_all"]):
            read_end, write_end = os.pipe()
            os.close(read_end)
            with open(write_end, "wb") as nobody:
                done = subprocess.run(self.command(*words), text=True, stdout=nobody, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.stderr, "", words)

    def test_watching_checks_at_every_save_until_it_passes(self):
        with self.watching() as watching:
            mine = self.desk / "one_for_all" / "tree.scenario"
            mine.write_text(mine.read_text() + "\n# saved\n")
            self.read_until(watching, "it is checked again")
            beside = mine.with_name("beside")  # as editors do
            shutil.copyfile(HERE / "one_for_all/solution/tree.scenario", beside)
            beside.replace(mine)
            self.read_until(watching, "one_for_all: passed")
            self.assertEqual(watching.wait(10), 0)

    def test_watching_ends_at_ctrl_c(self):
        with self.watching() as watching:
            watching.send_signal(signal.SIGINT)
            self.read_until(watching, "Watched no longer")
            self.assertEqual(watching.wait(10), 0)

    def read_until(self, program, words):
        said = []
        while words not in (said or [""])[-1]:
            line = program.stdout.readline()
            self.assertTrue(line, f"it ended before it said '{words}':\n{''.join(said)}")
            said.append(line)

    def test_reset_begins_anew_and_keeps_what_was_there(self):
        self.assertIn("you have not begun it", self.lab("reset", "one_for_all", status=2))
        self.lab("one_for_all")
        mine = self.desk / "one_for_all" / "tree.scenario"
        shutil.copyfile(HERE / "one_for_all/solution/tree.scenario", mine)
        self.lab("check", "one_for_all")
        self.assertIn("1 of ", self.lab())
        self.assertIn("tree.scenario.1", self.lab("reset", "one_for_all"))
        self.assertEqual(mine.read_text(), (HERE / "one_for_all/starter/tree.scenario").read_text())
        self.assertEqual(mine.with_name("tree.scenario.1").read_text(),
                         (HERE / "one_for_all/solution/tree.scenario").read_text())
        self.assertIn("0 of ", self.lab())
        self.assertIn("tree.scenario.2", self.lab("reset", "one_for_all"))

    def test_diff_leads_from_mine_to_the_solution(self):
        self.assertIn("you have not begun it", self.lab("diff", "one_for_all", status=2))
        self.lab("one_for_all")
        said = self.lab("diff", "one_for_all")
        self.assertRegex(said, r"--- yours: .*\n\+\+\+ the solution: .*\n@@")
        shutil.copyfile(HERE / "one_for_all/solution/tree.scenario", self.desk / "one_for_all" / "tree.scenario")
        self.assertIn("letter by letter", self.lab("diff", "one_for_all"))

    def test_hints_come_one_by_one_and_begin_again(self):
        given = [self.lab("hint", "frames") for _ in range(4)]
        self.assertEqual(len(set(given)), 3)
        self.assertEqual(given[0], given[3])

    def test_what_does_not_compile_is_shown(self):
        self.lab("upper_case")
        (self.desk / "upper_case" / "server.cpp").write_text("int main() { return nonsense; }\n")
        said = self.lab("check", "upper_case", status=1)
        self.assertRegex(said, r"It does not compile\. .*\n  .*error: .*nonsense.*\n\n---- all")
        self.assertIn("01_naive.md", said)
        self.assertIn("nonsense", said)
        self.assertNotIn("by hand", said)

    def test_after_what_does_not_compile_no_older_program_is_offered(self):
        self.lab("upper_case")
        mine = self.desk / "upper_case" / "server.cpp"
        mine.write_text("int main() { return 3; }\n")
        self.assertIn("To try it by hand: ", self.lab("check", "upper_case", status=1))
        mine.write_text("int main() { return nonsense; }\n")
        self.assertNotIn("by hand", self.lab("check", "upper_case", status=1))

    def test_a_program_that_ends_at_once_is_said_to(self):
        self.lab("upper_case")
        (self.desk / "upper_case" / "server.cpp").write_text("int main() { return 3; }\n")
        said = self.lab("check", "upper_case", status=1)
        self.assertIn("the server has ended, with the exit status 3", said)
        self.assertIn("To try it by hand: ", said)

    def test_only_what_fails_first_is_shown(self):
        self.lab("frames")
        said = self.lab("check", "frames", status=1)
        self.assertEqual(said.count("FAIL"), 1, said)
        self.assertIn("hint", said)

    def test_threadsanitizers_report_comes_behind_what_it_means(self):
        self.lab("shared_counter")
        said = self.lab("check", "shared_counter", status=1)
        self.assertLess(said.index("  FAIL  "), said.index("a data race: "))
        self.assertLess(said.index("a data race: "), said.index("---- ThreadSanitizer's report"))
        self.assertLess(said.index("---- ThreadSanitizer's report"), said.index("WARNING: ThreadSanitizer"))

    def test_what_the_program_and_the_compiler_say_comes_behind_the_words(self):
        self.lab("chat_client")
        shutil.copyfile(HERE / "chat_client/wrong/strict_decoding/client.py", self.desk / "chat_client/client.py")
        said = self.lab("check", "chat_client", status=1)
        self.assertLess(said.index("  FAIL  "), said.index("---- what your program says to stderr"))
        self.assertLess(said.index("---- what your program says to stderr"), said.index("UnicodeDecodeError"))
        self.lab("frames")
        mine = self.desk / "frames/frames.hpp"
        mine.write_text(mine.read_text() + "static void nobody_calls_it() {}\n")
        said = self.lab("check", "frames", status=1)
        self.assertLess(said.index("  FAIL  "), said.index("---- what the compiler warns of"))
        self.assertLess(said.index("---- what the compiler warns of"), said.index("nobody_calls_it"))

    def test_what_can_be_heard_at_a_telnet_is_said(self):
        self.assertIn("you have not begun it", self.lab("hear", "nick", status=2))
        self.assertNotIn("<!--", self.lab("nick"))
        mine = self.desk / "nick/nick.hpp"
        shutil.copyfile(HERE / "nick/solution/nick.hpp", mine)
        self.assertIn("./lab exercise hear nick", self.lab("check", "nick"))
        mine.write_text("nonsense\n")
        self.assertIn("It does not compile. The first mistake", self.lab("hear", "nick", status=1))
        self.lab("upper_case")
        self.assertIn("is not heard at a telnet", self.lab("hear", "upper_case", status=2))

    def test_what_is_put_back_is_checked_although_it_is_older(self):
        self.lab("shared_counter")
        mine = self.desk / "shared_counter/statistics.hpp"
        aside = mine.with_name("aside")
        mine.rename(aside)
        shutil.copyfile(HERE / "shared_counter/solution/statistics.hpp", mine)
        self.lab("check", "shared_counter")
        aside.replace(mine)
        self.lab("check", "shared_counter", status=1)

    def test_wrong_words(self):
        self.assertIn("is not there; there are: upper_case", self.lab("no_such_thing", status=2))
        self.assertIn("is ambiguous", self.lab("hint", "b", status=2))
        self.assertIn("usage", self.lab("check", status=2))
        self.assertIn("upper_case", self.lab("list"))


class Checks(unittest.TestCase):
    """What a check says when a step goes wrong in a way that its author did not think of."""

    def said_by(self, body, status):
        with tempfile.TemporaryDirectory() as place:
            check = pathlib.Path(place) / "check.py"
            check.write_text("import socket\nfrom checking import Client, Server, Wrong, run, step\n"
                             f"@step('it goes well')\ndef step_1():\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
                             "run()\n")
            done = subprocess.run([sys.executable, "-B", str(check), "no subject"], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, env={**os.environ, "PYTHONPATH": str(HERE)})
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def test_a_connection_that_is_reset_while_nothing_should_come_is_a_failure_in_words(self):
        said = self.said_by("""
            with socket.create_server(("127.0.0.1", 0)) as door:
                client = Client(door.getsockname()[1])
                Client.reset(type("Accepted", (), {"socket": door.accept()[0]}))
                client.silence("two clients are being served", hint="Take a permit before accept.")
            """, status=1)
        self.assertIn("  FAIL  it goes well\n        expected  nothing: two clients are being served\n", said)
        self.assertIn("Take a permit before accept.", said)
        self.assertNotIn("Traceback", said)

    def test_what_a_program_does_to_its_check_is_a_failure_in_words(self):
        for error in ("ConnectionResetError('gone')", "BrokenPipeError('gone')", "TimeoutError('gone')",
                      "FileNotFoundError('gone')", "UnicodeError('gone')"):
            said = self.said_by(f"raise {error}", status=1)
            self.assertIn("  FAIL  it goes well", said)
            self.assertIn("gone", said)
            self.assertNotIn("Traceback", said)

    def test_a_mistake_in_the_check_is_not_the_students(self):
        said = self.said_by("{}['no such key']", status=3)
        self.assertNotIn("FAIL", said)
        self.assertIn("The check itself is wrong here, and not your program", said)
        self.assertIn("KeyError", said)

    def test_how_the_server_ended_is_said_besides(self):
        said = self.said_by("""
            script = "import os, sys; print('Listening on 127.0.0.1:1', flush=True); os.abort()"
            with Server("python3", "-c", script) as server:
                server.process.wait()
                raise Wrong("a line", "nothing")
            """, status=1)
        self.assertIn("the server has ended, by the signal SIGABRT", said)


if __name__ == "__main__":
    unittest.main()
