"""Walks through exercises as a student does, at a desk of its own: exercise_test.py BUILD_DIR"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv.pop(1))


class Walk(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.desk = pathlib.Path(self.place.name) / "exercises"

    def lab(self, *words, status=0):
        command = [sys.executable, "-B", str(HERE / "exercise.py"), "--build-dir", str(BUILD), "--desk", str(self.desk)]
        done = subprocess.run([*command, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
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

    def test_hints_come_one_by_one_and_begin_again(self):
        given = [self.lab("hint", "frames") for _ in range(4)]
        self.assertEqual(len(set(given)), 3)
        self.assertEqual(given[0], given[3])

    def test_what_does_not_compile_is_shown(self):
        self.lab("upper_case")
        (self.desk / "upper_case" / "server.cpp").write_text("int main() { return nonsense; }\n")
        said = self.lab("check", "upper_case", status=1)
        self.assertIn("It does not compile", said)
        self.assertIn("nonsense", said)

    def test_a_program_that_ends_at_once_is_said_to(self):
        self.lab("upper_case")
        (self.desk / "upper_case" / "server.cpp").write_text("int main() { return 3; }\n")
        said = self.lab("check", "upper_case", status=1)
        self.assertIn("the server has ended, with the exit status 3", said)
        self.assertIn("To try it by hand: ", said)

    def test_only_what_fails_first_is_shown(self):
        self.lab("frames")
        said = self.lab("check", "frames", status=1)
        self.assertEqual(said.count("[  FAILED  ]"), 1, said)
        self.assertNotIn("Skipped\n", said)

    def test_wrong_words(self):
        self.assertIn("is not there; there are: upper_case", self.lab("no_such_thing", status=2))
        self.assertIn("is ambiguous", self.lab("hint", "b", status=2))
        self.assertIn("usage", self.lab("check", status=2))
        self.assertIn("upper_case", self.lab("list"))


if __name__ == "__main__":
    unittest.main()
