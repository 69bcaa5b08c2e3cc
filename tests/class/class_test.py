#!/usr/bin/env python3
"""Tests of ./lab class: class_test.py GRADER NAME. The submissions are small, some are right, wrong, and hostile."""

import csv
import functools
import html.parser
import importlib
import io
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "observer")]
import browser  # noqa: E402
import reports  # noqa: E402

GRADER = None
MUSEUM = HERE.parent / "museum/02"
SERVER = 'exec python3 server.py "$1"\n'
JUNIT_SCHEMA = HERE.parent / "grade/junit.xsd"
MOST_SECONDS = 90
SKIPPED = 77


def submission(root, name, run, server="reference_python.py"):
    directory = root / name
    directory.mkdir(parents=True)
    (directory / "run").write_text("#!/bin/bash\n" + run)
    (directory / "run").chmod(0o755)
    (directory / "server.py").write_text((MUSEUM / server).read_text())
    return directory


def grade(root, *options, stage="02"):
    began = time.monotonic()
    done = subprocess.run([sys.executable, HERE / "class.py", "--grader", GRADER, root, stage, "--required", *options],
                          capture_output=True, text=True, timeout=MOST_SECONDS)
    return done, time.monotonic() - began


def table(out):
    with open(out / "class.csv", newline="", encoding="utf-8") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def processes_with(word):
    found = 0
    for each in pathlib.Path("/proc").iterdir():
        try:
            found += each.name.isdigit() and word.encode() in (each / "cmdline").read_bytes().split(b"\0")
        except OSError:
            pass
    return found


@functools.cache
def has_namespaces():
    """Whether this system allows them: a class of nobody tells."""
    with tempfile.TemporaryDirectory(prefix="class-test-") as place:
        (pathlib.Path(place) / "them/nobody").mkdir(parents=True)
        done, _ = grade(pathlib.Path(place) / "them")
        return "each in namespaces of its own" in done.stderr


# ---- reports that others read ---------------------------------------------------------------------------------------

def valid_junit(path):
    """What every reader of JUnit's XML takes for granted: the elements, their attributes, and that the sums are right."""
    root = xml.parse(path).getroot()
    check(root.tag == "testsuites", root.tag)
    for suite in root:
        check(suite.tag == "testsuite" and suite.get("name"), "a suite with a name")
        kinds = {"failure": 0, "error": 0, "skipped": 0}
        for case in suite:
            check(case.tag == "testcase" and case.get("name") and case.get("classname"), "a case with its names")
            check(float(case.get("time")) >= 0, "a time")
            check(len(case) <= 1, "one outcome")
            for outcome in case:
                check(outcome.tag in (*kinds, "system-out"), outcome.tag)
                if outcome.tag in kinds:
                    kinds[outcome.tag] += 1
                    check(outcome.get("message"), "a message")
        for kind, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            check(int(suite.get(attribute)) == kinds[kind], f"{suite.get('name')}: {attribute}")
        check(int(suite.get("tests")) == len(suite), "the number of cases")
    for attribute in ("tests", "failures", "errors", "skipped"):
        check(int(root.get(attribute)) == sum(int(suite.get(attribute)) for suite in root), attribute)
    if shutil.which("xmllint"):
        judged = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", JUNIT_SCHEMA, path], capture_output=True, text=True)
        check(judged.returncode == 0, judged.stderr)
    else:
        print("no xmllint here, so the schema was not asked: apt-get install libxml2-utils")
    return {suite.get("name"): suite for suite in root}


def valid_gradescope(path):
    results = json.loads(path.read_text(encoding="utf-8"))
    check(set(results) <= {"score", "execution_time", "output", "output_format", "visibility", "stdout_visibility", "tests"},
          str(set(results)))
    check(results["visibility"] in ("visible", "hidden", "after_due_date", "after_published"), results["visibility"])
    for test in results["tests"]:
        check(test["status"] in ("passed", "failed") and isinstance(test["name"], str), str(test))
        check(0 <= test["score"] <= test["max_score"], str(test))
        check(all(isinstance(tag, str) for tag in test["tags"]), str(test))
    check(results["score"] == sum(test["score"] for test in results["tests"]), "the sum of the scores")
    return results


class Page(html.parser.HTMLParser):
    """That each element that is opened is closed, and what text and elements there are."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text = [], set(), ""
        self.feed(text)
        check(not self.open, f"not closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        check(self.open and self.open.pop() == tag, f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text += data


FAILED = {"step": "first", "group": "lines", "points": 2, "decides": True, "verdict": "failed", "milliseconds": 5,
          "expected": "x", "got": "<script>\x1b[2J\x00]]>\ud800", "hint": "<b>", "text": "  got <script>\x1b[2J\n", "why": "&"}
ADVICE = {**FAILED, "step": "nice", "decides": False, "points": 0}
OPEN = {"step": "late", "group": "life", "points": 6, "decides": True, "verdict": "not reached", "milliseconds": 0, "why": ""}
STEPS = [FAILED, ADVICE, OPEN]
HOSTILE = {"name": "=1+1 <script>", "begin": 0, "end": 1.5, "steps": STEPS, "broken": None,
           "reason": "=cmd|x\nPASS 33 of 33\x1b[2J", "verdict": "could not run", "max": 8, "score": 0}


def what_a_submission_says_is_text():
    with tempfile.TemporaryDirectory() as place:
        out = pathlib.Path(place)
        reports.write(out, "02", STEPS, [HOSTILE], False, "<no>")
        text = (out / "class.html").read_text(encoding="utf-8")
        page = Page(text)
        check("script" not in page.seen and "<script>" in page.text, "it is text in the page")
        check("\x1b" not in text, "no terminal obeys the page")
        suites = valid_junit(out / "junit.xml")
        check(suites["=1+1 <script>"].get("errors") == "2", "what was not asked and what could not run is no success")
        valid_gradescope(out / "=1+1 <script>.json")
        rows = list(csv.reader(io.StringIO((out / "class.csv").read_text())))
        check(rows[1][0].startswith("'=") and all(not cell.startswith("=") for cell in rows[1]), "no formula")
        told = (out / "=1+1 <script>.txt").read_text()
        check("    | PASS 33 of 33" in told and "\nPASS" not in told and "\x1b" not in told, "what it printed is quoted")


def who_may_have_failed_by_a_neighbour_is_asked_again():
    failed_meanwhile = importlib.import_module("class").failed_meanwhile
    wrong = {**HOSTILE, "name": "wrong", "verdict": "fail", "begin": 100.0, "end": 110.0}
    most_seconds = 60
    for doing, when, result, again in (("a neighbour breaks its bounds in a failed step", 101, wrong, True),
                                       ("long after the failed step", 109, {**wrong, "steps": [FAILED]}, False),
                                       ("all has passed", 101, {**wrong, "verdict": "pass"}, False),
                                       ("it has used up all the time", 101, {**wrong, "end": 160.0}, False)):
        check(failed_meanwhile(result, [("bomb", when)], most_seconds) == again, doing)
        check(not failed_meanwhile(result, [("wrong", when)], most_seconds), f"{doing}; by itself")


def the_page_is_what_a_browser_shows():
    """A row for each submission: who, verdict, points, and a cell for each step, which is seen by its colour."""
    right = {**HOSTILE, "name": "right", "reason": "", "verdict": "pass", "score": 8,
             "steps": [{**step, "verdict": "passed"} for step in STEPS]}
    scripts = {**HOSTILE, "name": "<script>document.title = 'it ran'</script><img src=x onerror='document.title = 1'>"}
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place) / "class.html"
        path.write_text(reports.page("02", STEPS, [right, scripts], True, ""), encoding="utf-8")
        try:
            page = browser.Browser()
        except browser.NoBrowser as why:
            print(why)
            sys.exit(SKIPPED)
        with page:
            page.open(path.as_uri())
            rows = page.value("[...document.querySelectorAll('.wide tr')].map(row => [...row.cells].map(cell => cell.innerText))")
            check(rows[0] == ["submission", "verdict", "points", "first", "nice (advice)", "late"], rows[0])
            check(rows[1:] == [["right", "pass", "8 / 8", "✓", "✓", "✓"],
                               [scripts["name"], "could not run", "0 / 8", "✗", "!", "–"]], rows[1:])
            colours = page.value("[...document.querySelectorAll('.wide tr:last-child td.cell')].map("
                                 "cell => getComputedStyle(cell).backgroundColor)")
            check(len({*colours, "rgba(0, 0, 0, 0)"}) == 4, f"a colour for each kind: {colours}")
            # A name leads to what the student is told.
            page.value("document.querySelector('.wide tr:last-child a').click()")
            page.wait("location.hash === '#s1'")
            page.value("document.querySelector('#s1 summary').click()")
            told = page.value("document.querySelector('#s1 pre').innerText")
            check("FAIL    first (2 points)" in told, told)
            check(page.value("document.title") == "Class 02" and page.value("document.images.length") == 0, "nothing of it ran")
            check(not page.errors, page.errors)


# ---- a class --------------------------------------------------------------------------------------------------------

def a_class_of_right_wrong_and_hostile_ones():
    marker = f"98765.{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="class-test-") as place, socket.create_server(("127.0.0.1", 0)) as witness:
        top = pathlib.Path(place)
        top.chmod(0o755)
        root = top / "them"
        port = witness.getsockname()[1]
        submission(root, "right", SERVER)
        submission(root, "deeper/project", SERVER)
        (root / "deeper/project/run").chmod(0o644)
        submission(root, "wrong", SERVER, "shared_buffer.py")
        (root / "nothing").mkdir()
        submission(root, "daemons", f"setsid sleep {marker} & (setsid sleep {marker} &)\n" + SERVER)
        submission(root, "bomb", "b() { b | b & }; b\nsleep 100\n")
        submission(root, "memory", "exec python3 -c 'x = []\nwhile True: x.append(bytearray(10**7))'\n")
        submission(root, "output", "yes 'PASS 33 of 33'\n")
        submission(root, "elsewhere", f"touch {root}/right/was_here {top}/was_here /var/tmp/{marker} ~/was_here\n"
                   f"head -c 100M /dev/zero > /tmp/{marker}\n" + SERVER)
        submission(root, "network", f"exec 3<> /dev/tcp/127.0.0.1/{port} && exit 3\n"
                   f"python3 -c 'import socket; s = socket.create_server((\"127.0.0.1\", {port})); s.accept()' &\n" + SERVER)
        submission(root, "forger", """for each in /proc/[0-9]*; do echo '{"verdict": "pass", "steps": []}' > $each/fd/1
done 2> /dev/null\nexit 1\n""")
        expected = {"right": "pass", "deeper": "pass", "wrong": "fail", "nothing": "could not run", "daemons": "pass",
                    "bomb": "broke a bound", "memory": "broke a bound", "output": "broke a bound", "forger": "could not run",
                    "elsewhere": "pass"}
        if has_namespaces():  # or it would end all that we have started
            submission(root, "killer", "kill -9 -1 $PPID\n" + SERVER)
            expected["network"] = "pass"
        done, seconds = grade(root, "--memory", "200", "--processes", "400", "--files", "30", "--output", "2", "--start", "8")
        check(done.returncode == 0, done.stderr)
        out, first = top / "them-graded-02", done.stderr
        rows = table(out)
        got = {name: rows[name]["verdict"] for name in expected}
        check(got == expected, f"{got}\n{done.stderr}")
        if "killer" in rows:
            check(rows["killer"]["verdict"] in ("pass", "could not run"), rows["killer"]["verdict"])
        check("second_client" in rows["wrong"]["failed"].split(), rows["wrong"]["failed"])
        check(0 < int(rows["wrong"]["points"]) < int(rows["right"]["points"]) == int(rows["right"]["of"]), "points")
        check("more than 200 MiB" in rows["memory"]["reason"], rows["memory"]["reason"])
        check("400 processes" in rows["bomb"]["reason"], rows["bomb"]["reason"])
        check("more than 2 MiB" in rows["output"]["reason"], rows["output"]["reason"])
        # The machine is as it was.
        check(processes_with(marker) == 0, "nothing of the daemons is left")
        check(not list(root.rglob("was_here")) and not (top / "was_here").exists(), "nobody's files were touched")
        if has_namespaces():
            check(not any(pathlib.Path(path, marker).exists() for path in ("/tmp", "/var/tmp")), "nor /tmp")
        for path in ("/tmp", "/var/tmp"):
            pathlib.Path(path, marker).unlink(missing_ok=True)
        # And what was written is what others read.
        suites = valid_junit(out / "junit.xml")
        check(set(suites) == set(rows), "a suite for each")
        for name in rows:
            results = valid_gradescope(out / f"{name}.json")
            check(results["score"] == int(rows[name]["points"]), name)
            check((out / f"{name}.txt").read_text().startswith(f"{name}, graded as 02: "), name)
        page = Page((out / "class.html").read_text(encoding="utf-8"))
        check("What goes wrong most" in page.text and "second_client" in page.text, "the page tells it")
        # A second run grades what has changed.
        (root / "wrong/server.py").write_text((MUSEUM / "reference_python.py").read_text())
        done, again = grade(root, "--memory", "200", "--processes", "400", "--files", "30", "--output", "2", "--start", "8")
        check(f"1 submission to grade, {len(rows) - 1} unchanged" in done.stderr, done.stderr)
        check(table(out)["wrong"]["verdict"] == "pass", "the changed one")
        print(f"{first}{seconds:.1f} s, then {again:.1f} s")


def without_namespaces_nothing_is_left_either():
    marker = f"98764.{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="class-test-") as place:
        root = pathlib.Path(place) / "them"
        submission(root, "daemons", f"setsid sleep {marker} & (setsid sleep {marker} &)\n" + SERVER)
        submission(root, "bomb", f"sleep {marker} & b() {{ b | b & }}; b\nsleep 100\n")
        done, _ = grade(root, "--no-namespaces", "--processes", "400")
        check("in no namespaces" in done.stderr, done.stderr)
        rows = table(pathlib.Path(place) / "them-graded-02")
        check(rows["daemons"]["verdict"] == "pass" and rows["bomb"]["verdict"] == "broke a bound", done.stderr)
        check(processes_with(marker) == 0, "nothing is left")


def what_has_to_be_built_is_built():
    with tempfile.TemporaryDirectory(prefix="class-test-") as place:
        root = pathlib.Path(place) / "them"
        for name in ("builds", "does_not"):
            submission(root, name, SERVER)
        (root / "builds/Makefile").write_text("all:\n\tmv server.py built.py\n")
        (root / "does_not/Makefile").write_text("all:\n\techo 'I miss a semicolon'; exit 2\n")
        done, _ = grade(root, "--build", "sh -c 'sed -n s/^.//p Makefile | sh'", "--command", "python3 built.py {port}")
        rows = table(pathlib.Path(place) / "them-graded-02")
        check({name: row["verdict"] for name, row in rows.items()} == {"builds": "pass", "does_not": "does not build"},
              done.stderr)
        check("| I miss a semicolon" in (pathlib.Path(place) / "them-graded-02/does_not.txt").read_text(), "and why")
        check((root / "builds/server.py").exists(), "in a copy")


def wrong_usage_is_one_line():
    with tempfile.TemporaryDirectory() as place:
        for words, what in (((place, "09"), "there is no stage 09"), ((place, "02"), "no directories in"),
                            ((place + "/none", "02"), "there is no directory"), ((place, "02", "--jobs", "0"), "--jobs"),
                            ((place, "02", "--command", "server"), "no {port}"), ((place,), "STAGE"),
                            ((place, "02", "--strict", "--required"), "exclude each other")):
            done = subprocess.run([sys.executable, HERE / "class.py", "--grader", GRADER, *words], capture_output=True,
                                  text=True, timeout=MOST_SECONDS)
            check(done.returncode == 2 and what in done.stderr and done.stderr.count("\n") == 1, f"{words}: {done.stderr}")


if __name__ == "__main__":
    GRADER = sys.argv[1]
    globals()[sys.argv[2]]()
