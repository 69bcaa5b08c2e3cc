#!/usr/bin/env python3
"""Tests of ./lab diff, on two small stages and on the real ones: diff_test.py NAME."""

import pathlib
import subprocess
import sys
import tempfile

import pexpect

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIFF = ROOT / "docs/diff/diff.py"
MOST_SECONDS = 60
BOLD, RED, GREEN = "\033[1m", "\033[31m", "\033[32m"

ONE = {
    "01_one/CMakeLists.txt": "",
    "01_one/server.cpp": """// 01_one: the first.

#include <string>

namespace {

/// Braces in strings, '{', and in comments { do not count; nor do 1'000 and R"({)".
std::string serve(int a) {
    const std::string text = "{ \\" {" + std::string(1, '{') + R"(")" + "{";
    return text + std::to_string(a + 1'000);  // {
}

void accept_loop() { serve(1); }

template <class Body>
void vanish(Body body) try {
    body();
} catch (...) {
}

constexpr int patience = 5;

}  // namespace

int main() {
    accept_loop();
}
""",
}
TWO = {
    "02_two/CMakeLists.txt": "",
    "02_two/server.cpp": ONE["01_one/server.cpp"].partition("void accept_loop")[0] + """struct Door {
    int number;
    explicit Door(int n) : number{n} {}
    int next() { return ++number; }
};

Door::Door(int n) : number{n} {
    serve(n);
}

bool operator==(const Door& one, const Door& other) { return one.number == other.number; }

void pool::accept_loop() { serve(2); }

constexpr int patience = 6;

}  // namespace
""",
    "02_two/main.cpp": "int main() {\n    accept_loop();\n}\n",
    "docs/02_two.md": """# 2

## What changed, function by function

- `accept_loop`: it serves the second,
  not the first.
- `vanish`, `Door::Door`: one for
  the other.

## Further

- `nothing`: is not of this section.
""",
}


class Stages:
    def __init__(self, *changes):
        self.files = {**ONE, **TWO}
        for file, old, new in changes:
            assert old in self.files[file], old
            self.files[file] = self.files[file].replace(old, new)

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="five_diff.")
        for name, text in self.files.items():
            file = pathlib.Path(self.directory.name) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def diff(self, *words):
        return subprocess.run([DIFF, "--root", self.directory.name, *words], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=MOST_SECONDS, check=False)

    def diff_in_terminal(self, columns, *words):
        terminal = pexpect.spawn(str(DIFF), ["--root", self.directory.name, *words], encoding="utf-8",
                                 timeout=MOST_SECONDS, dimensions=(24, columns))
        terminal.expect(pexpect.EOF)
        return terminal.before.replace("\r", "")


def expect(condition, *what):
    if not condition:
        raise AssertionError("\n".join(map(str, what)))


def each_function_is_named_once_and_told_in_the_chapters_words():
    with Stages() as stages:
        ran = stages.diff("01_one", "02_two")
        expect(ran.returncode == 0 and ran.stdout == """01_one and 02_two, function by function
unchanged: serve, main

accept_loop  01_one/server.cpp:13 02_two/server.cpp:25
it serves the second, not the first.
-void accept_loop() { serve(1); }
+void pool::accept_loop() { serve(2); }

new: struct Door  02_two/server.cpp:13
new: Door::Door  02_two/server.cpp:19  one for the other.
new: operator==  02_two/server.cpp:23
not in 02_two: vanish  01_one/server.cpp:15  one for the other.

outside of them
-constexpr int patience = 5;
+constexpr int patience = 6;
""", ran.stdout, ran.stderr)


def two_that_are_no_neighbours_have_no_sentences():
    with Stages() as stages:
        said = stages.diff("02_two", "01_one").stdout
        expect("\nnew: vanish  01_one/server.cpp:15\n" in said and "one for the other" not in said, said)


def a_stage_that_is_not_there_is_an_error():
    with Stages() as stages:
        ran = stages.diff("01", "02_two")
        expect(ran.returncode == 2 and "there is no stage 01; there are 01_one, 02_two" in ran.stderr, ran)


def overloads_are_told_apart_by_their_order():
    more = ("02_two/server.cpp", "void pool::accept", "void accept_loop(int) {}\n\nvoid pool::accept")
    with Stages(more) as stages:
        said = stages.diff("01_one", "02_two").stdout
        expect("\nnew: accept_loop (2)  02_two/server.cpp:27  it serves" in said, said)


def of_a_long_function_only_what_is_near_a_change_is_shown():
    body = "".join(f"    serve({number});\n" for number in range(60))
    old = ("01_one/server.cpp", "{ serve(1); }", "{\n" + body + "}")
    new = ("02_two/server.cpp", "{ serve(2); }", "{\n" + body.replace("(50)", "(51)") + "}")
    with Stages(old, new) as stages:
        said = stages.diff("01_one", "02_two").stdout
        expect("     serve(49);\n-    serve(50);\n+    serve(51);\n" in said and "serve(46)" not in said, said)


def a_terminal_shows_both_beside_each_other_where_they_fit():
    left, right = "void accept_loop() { serve(1); }", "void pool::accept_loop() { serve(2); }"
    with Stages() as stages:
        wide = stages.diff_in_terminal(len(left) + 3 + len(right), "01_one", "02_two")
        expect(f"{RED}{left}\033[0m | {GREEN}{right}\033[0m\n" in wide and f"{BOLD}accept_loop" in wide, wide)
        narrow = stages.diff_in_terminal(len(left) + 2 + len(right), "01_one", "02_two")
        expect(f"{RED}-{left}\033[0m\n{GREEN}+{right}\033[0m\n" in narrow, narrow)
        asked = stages.diff_in_terminal(200, "01_one", "02_two", "--unified")
        expect(f"{RED}-{left}" in asked, asked)


def a_check_misses_a_sentence_and_a_function():
    with Stages() as stages:
        ran = stages.diff("--check")
        expect(ran.returncode == 0 and ran.stdout == "", ran)
    with Stages(("docs/02_two.md", "- `accept_loop`:", "- `accept_leap`:")) as stages:
        ran = stages.diff("--check")
        expect(ran.returncode == 1 and ran.stdout ==
               "docs/02_two.md: says nothing of `accept_loop`, which has changed (02_two/server.cpp:25)\n"
               "docs/02_two.md:5: speaks of `accept_leap`, which neither 01_one nor 02_two has\n", ran.stdout)
    with Stages(("docs/02_two.md", "## What changed", "## What has changed")) as stages:
        ran = stages.diff("--check")
        expect(ran.returncode == 1 and ran.stdout.startswith("docs/02_two.md: has no heading"), ran)


def the_chapters_tell_of_what_has_changed():
    ran = subprocess.run([DIFF, "--check"], stdin=subprocess.DEVNULL, text=True, capture_output=True,
                         timeout=MOST_SECONDS, check=False)
    expect(ran.returncode == 0, ran.stdout + ran.stderr)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
