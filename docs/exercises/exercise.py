#!/usr/bin/env python3
"""./lab exercise: hands out the exercises, checks them, gives hints; and proves, for the test suite, that they work.

An exercise is a directory here:
    README.md        title, stage, minutes, the file to edit, what is learnt, the task
    starter/FILE     what the student starts from      solution/FILE, solution.md   and where it may end
    hints.md         two or three, under ## headings   starter_fails.txt            what the check says of the starter
    wrong/ANSWER/    FILE as many a student writes it  wrong/ANSWER/fails.txt       and what the check says of that
    check.py         runs a program from outside, with checking.py; or
    check.cpp        includes FILE and calls it, with checking.hpp; and then there may be
    hear.cpp         a server with FILE in it, for telnets; README.md shows what they hear, as the tutorial's replay sees it
The order of the exercises is that of the table in README.md beside this file.
"""

import argparse
import dataclasses
import difflib
import json
import os
import pathlib
import py_compile
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).absolute().parent
ROOT = HERE.parent.parent
CHECK_SECONDS = 120  # for a whole check; each wait in it has a shorter bound of its own
WATCH_SECONDS = 0.2  # between two looks at a file that is watched
MINUTES = range(10, 31)  # how long an exercise may take
HINTS = range(2, 4)  # how many it may have


class Usage(Exception):
    """Something was asked for that is not there."""


class CannotBuild(Exception):
    """What the compiler says."""


# ---- what there is --------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Exercise:
    name: str
    title: str
    stage: str
    minutes: int
    file: str  # the one that the student edits
    threads: bool  # whether the check is built with ThreadSanitizer
    learns: str
    text: str  # README.md, whole

    @property
    def directory(self):
        return HERE / self.name

    @property
    def unit_check(self):
        return self.directory / "check.cpp"

    def chapters(self):
        """Where its stage is explained."""
        return sorted((ROOT / "docs").glob(f"{self.stage}_*.md"))

    @property
    def hear(self):
        return self.directory / "hear.cpp"

    def wrong_answers(self):
        return sorted(path.parent.name for path in self.directory.glob("wrong/*/fails.txt"))

    def hints(self):
        parts = re.split(r"^## .*\n", (self.directory / "hints.md").read_text(), flags=re.M)
        return [part.strip() for part in parts[1:]]

    def needs(self):
        """What the build must have made before the check can run: its targets."""
        if self.unit_check.exists():
            return ["common"] if self.threads else ["common", "chat_room"]
        if self.file.endswith(".scenario"):
            return ["supervisor_lab"]
        programs = re.findall(r'program\("(\w+)"\)', (self.directory / "check.py").read_text())
        return sorted({*programs, *(["common", "strict_ctype"] if self.file.endswith(".cpp") else [])})


HEADER = re.compile(
    r"# (?P<title>.+)\n\n\*Stage (?P<stage>\d\d) · (?P<minutes>\d+) minutes · edit `(?P<file>[\w.]+)`"
    r"(?P<threads> · ThreadSanitizer)?\*\n\*You learn (?P<learns>[^*]+)\.\*\n"
)


def read_exercise(name):
    text = (HERE / name / "README.md").read_text()
    header = HEADER.match(text)
    if not header:
        raise Usage(f"{name}/README.md does not begin as an exercise does")
    learns = " ".join(header["learns"].split())
    return Exercise(name, header["title"], header["stage"], int(header["minutes"]), header["file"],
                    bool(header["threads"]), learns, text)


def all_exercises():
    names = re.findall(r"^\| \[`(\w+)`\]", (HERE / "README.md").read_text(), flags=re.M)
    return [read_exercise(name) for name in names]


def find(wanted):
    """By name, by an unambiguous beginning of it, or by its number in the table."""
    exercises = all_exercises()
    if wanted.isdigit() and 1 <= int(wanted) <= len(exercises):
        return exercises[int(wanted) - 1]
    found = [exercise for exercise in exercises if exercise.name == wanted]
    found = found or [exercise for exercise in exercises if exercise.name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    what = "is ambiguous" if found else "is not there"
    raise Usage(f"the exercise {wanted} {what}; there are: {' '.join(exercise.name for exercise in exercises)}")


def table():
    """The table of README.md, as the exercises describe themselves."""
    rows = ["| exercise | stage | minutes | what you learn |", "| --- | --- | --- | --- |"]
    for exercise in all_exercises():
        rows.append(f"| [`{exercise.name}`]({exercise.name}/README.md) | {exercise.stage} | {exercise.minutes} "
                    f"| {exercise.learns} |")
    return "\n".join(rows) + "\n"


# ---- building -------------------------------------------------------------------------------------------------------


def compile_command(build):
    """How the repository compiles a program that uses common/: asked of the build, so that the two never differ."""
    entries = json.loads((build / "compile_commands.json").read_text())
    entry = next(entry for entry in entries if entry["file"].endswith("/01_naive/server.cpp"))
    words = shlex.split(entry["command"])
    for option in ("-o", "-c"):
        at = words.index(option)
        del words[at:at + 2]
    return words, entry["directory"]


def compiler_of(words):
    """The words up to the first option: the compiler, and ccache before it."""
    first_option = next(i for i, word in enumerate(words) if word.startswith("-"))
    return words[:first_option]


def run_compiler(words, directory):
    # Or ccache finds nothing that uses the precompiled header.
    environment = {"CCACHE_SLOPPINESS": "pch_defines,time_macros", **os.environ}
    done = subprocess.run(words, cwd=directory, env=environment, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise CannotBuild(done.stdout)
    return done.stdout  # warnings


def build_program(exercise, source, build, out, strict):
    """Makes `out` of the student's `source`: what check() then runs. Returns the compiler's warnings."""
    if source.suffix == ".py":
        try:
            py_compile.compile(str(source), cfile=str(out.with_suffix(".pyc")), doraise=True)
        except py_compile.PyCompileError as error:
            raise CannotBuild(str(error)) from error
        return ""
    if source.suffix not in (".cpp", ".hpp"):
        return ""

    is_unit = exercise.unit_check.exists()
    archives = ["05_chat/room/libchat_room.a"] if is_unit else ["docs/exercises/libstrict_ctype.a"]
    libraries = [] if exercise.threads else [build / archive for archive in [*archives, "common/libcommon.a"]]
    inputs = [source, HERE / "listening.hpp", HERE / "checking.hpp", *libraries,
              *([exercise.unit_check] if is_unit else [])]
    if is_younger(out, inputs):
        return ""
    out.unlink(missing_ok=True)  # what does not compile now must not leave an older program behind

    project, directory = compile_command(build)
    if not strict:  # a warning is for reading, not for refusing
        project = [word for word in project if word != "-Werror"]
    object_file = out.with_suffix(".o")
    includes = [f"-I{source.parent}", f"-I{HERE}", f"-I{ROOT}", f"-I{ROOT / 'common'}"]
    if is_unit:
        # Pure code: without sockets it needs nothing of the project's precompiled header.
        options = ["-std=c++20", "-O1", "-g1", "-Wall", "-Wextra", "-Wpedantic", *(["-Werror"] if strict else [])]
        sanitizer = ["-fsanitize=thread"] if exercise.threads else []
        compiler = compiler_of(project)
        warnings = run_compiler([*compiler, *options, *sanitizer, *includes, "-c", str(exercise.unit_check), "-o",
                                 str(object_file)], directory)
    else:
        compiler, sanitizer = compiler_of(project), []
        warnings = run_compiler([*project, *includes, "-c", str(source), "-o", str(object_file)], directory)
    run_compiler([*compiler, *sanitizer, str(object_file), *map(str, libraries), "-lpthread", "-o", str(out)],
                 directory)
    return warnings


def is_younger(out, inputs):
    """Asked of the moment at which each came where it is: a file that is put back keeps the time at which it was written."""
    return out.exists() and all(out.stat().st_mtime >= path.stat().st_ctime for path in inputs)


def build_server(exercise, source, build, out, strict):
    """Makes `out`, which is heard at a telnet: hear.cpp, with the student's `source` in it."""
    archives = [build / "05_chat/room/libchat_room.a", build / "common/libcommon.a"]
    inputs = [source, exercise.hear, HERE / "telnet_room.hpp", HERE / "listening.hpp", *archives]
    if is_younger(out, inputs):
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    project, directory = compile_command(build)
    if not strict:
        project = [word for word in project if word != "-Werror"]
    includes = [f"-I{source.parent}", f"-I{HERE}", f"-I{ROOT}", f"-I{ROOT / 'common'}"]
    object_file = out.with_suffix(".o")
    run_compiler([*project, *includes, "-c", str(exercise.hear), "-o", str(object_file)], directory)
    run_compiler([*compiler_of(project), str(object_file), *map(str, archives), "-lpthread", "-o", str(out)], directory)


# ---- checking -------------------------------------------------------------------------------------------------------


def run_bounded(command, environment):
    """The exit status (None: it did not end in time), what the check says, and what the program says to stderr. Nothing that
    it started outlives it."""
    child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
    try:
        said = child.communicate(timeout=CHECK_SECONDS)
        return child.returncode, *said
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return None, *child.communicate()
    finally:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def sanitizers_report(place):
    """What ThreadSanitizer has written there; the reports are taken away."""
    reports = sorted(pathlib.Path(place).iterdir())
    text = "".join(path.read_text(errors="replace") for path in reports)
    for path in reports:
        path.unlink()
    return text


FOUND = {
    "data race": ("a data race: two threads touch the same memory, at least one of them writes, and nothing puts them in"
                  " order",
                  "What comes of it is chance, and C++ promises nothing at all. Whoever touches it, to read as well, needs"
                  " the same mutex."),
    "lock-order-inversion": ("a lock-order-inversion: locks are taken in two orders, so two threads can each hold what"
                             " the other waits for, for ever",
                             "It need not have happened: the two orders are enough. Let everybody lock in one order, or"
                             " both in one step."),
    "double lock": ("a double lock: a thread locks a mutex that it holds already",
                    "It waits for itself, for ever. Look who calls whom with the lock held."),
}


def in_words(report):
    """What it means, before what it says; checking.hpp has said in which step it came."""
    found, meaning = next((words for kind, words in FOUND.items() if kind in report),
                          ("something that threads must not do", "Its own first line says what."))
    return ("        expected  that ThreadSanitizer finds nothing\n"
            f"        got       {found}\n"
            f"        hint      {meaning}\n"
            "                  Its report follows, long as it is: only the lines that name your file matter\n"
            f"\n---- ThreadSanitizer's report {'-' * 60}\n{report}")


def does_not_compile(said):
    """The first mistake, before all that follows from it."""
    first = next((line for line in said.splitlines() if "error:" in line or "Error:" in line), "")
    return (f"It does not compile. The first mistake matters most; later ones often follow from it:\n  {first.strip()}\n"
            f"\n---- all that the compiler says {'-' * 60}\n{said}")


def check(exercise, source, build, out, strict=False):
    """Builds what is in `source` and checks it. Returns whether it is right, and what there is to say."""
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        warnings = build_program(exercise, source, build, out, strict)
    except CannotBuild as error:
        return False, does_not_compile(str(error))
    if exercise.unit_check.exists():
        command = [str(out)]
    else:
        subject = out if source.suffix == ".cpp" else source
        command = [sys.executable, str(exercise.directory / "check.py"), str(subject)]
    with tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(HERE),
                       "FIVE_PROGRAMS": str(build / "bin"),
                       "TSAN_OPTIONS": f"halt_on_error=1:report_signal_unsafe=0:log_path={place}/report"}
        status, output, errors = run_bounded(command, environment)
        report = sanitizers_report(place)
        if "unexpected memory mapping" in errors + report:
            # Older ThreadSanitizers do not like how newer kernels place programs.
            status, output, errors = run_bounded(["setarch", "-R", *command], environment)
            report = sanitizers_report(place)
    said = output
    if report:
        said += in_words(report)
    if errors and status != 0:
        said += f"\n---- what your program says to stderr {'-' * 60}\n{errors}"
    if warnings:
        said += f"\n---- what the compiler warns of {'-' * 60}\n{warnings}"
    if status is None:
        said += f"\nThe check did not end within {CHECK_SECONDS} s: does somebody wait for ever?\n"
    elif status < 0:
        said += f"\nThe program was ended by the signal {signal.Signals(-status).name}.\n"
    return status == 0, said


# ---- the student's own ----------------------------------------------------------------------------------------------


class Desk:
    """Where the student works, with a note of what has been reached."""

    def __init__(self, directory):
        self.directory = directory
        self.note = directory / ".progress"
        self.progress = json.loads(self.note.read_text()) if self.note.exists() else {}

    def source(self, exercise):
        return self.directory / exercise.name / exercise.file

    def built(self, exercise, what):
        """A program made of the student's copy. Beside it: at another desk it would be somebody else's."""
        return self.directory / exercise.name / "built" / what

    def state(self, exercise):
        if self.progress.get(exercise.name, {}).get("passed"):
            return "passed"
        return "begun" if self.source(exercise).exists() else ""

    def get(self, exercise, what, default):
        return self.progress.get(exercise.name, {}).get(what, default)

    def put(self, exercise, what, value):
        self.progress.setdefault(exercise.name, {})[what] = value
        self.save()

    def forget(self, exercise):
        self.progress.pop(exercise.name, None)
        self.save()

    def save(self):
        self.directory.mkdir(exist_ok=True)
        beside = self.note.with_name(self.note.name + ".new")  # a note half written would lose everything
        beside.write_text(json.dumps(self.progress, indent=1) + "\n")
        beside.replace(self.note)


def shown(path):
    return os.path.relpath(path, os.getcwd())


def show_progress(desk):
    exercises = all_exercises()
    passed = [exercise for exercise in exercises if desk.state(exercise) == "passed"]
    print(f"{len(passed)} of {len(exercises)} exercises passed, "
          f"{sum(exercise.minutes for exercise in exercises if exercise not in passed)} minutes to go\n")
    for number, exercise in enumerate(exercises, 1):
        print(f"  {number:2}  {exercise.stage}  {exercise.name:20} {exercise.minutes:3} min  {desk.state(exercise)}")
    following = next((exercise for exercise in exercises if exercise not in passed), None)
    print(f"\nNext: ./lab exercise {following.name}" if following else "\nAll of them. Well done.")


def show_list():
    for number, exercise in enumerate(all_exercises(), 1):
        print(f"{number:2}  {exercise.stage}  {exercise.name:20} {exercise.minutes:3} min  {exercise.learns}")


def begin(exercise, desk):
    source = desk.source(exercise)
    source.parent.mkdir(parents=True, exist_ok=True)
    fresh = not source.exists()
    if fresh:
        shutil.copyfile(exercise.directory / "starter" / exercise.file, source)
    print(re.sub(r"<!--.*?-->\n", "", exercise.text, flags=re.S).rstrip())
    print(f"\nYour copy{'' if fresh else ', as you left it'}: {shown(source)}")
    print(f"Then: ./lab exercise check {exercise.name}    stuck: ./lab exercise hint {exercise.name}")


def check_copy(exercise, desk, build):
    source = desk.source(exercise)
    if not source.exists():
        raise Usage(f"you have not begun it: ./lab exercise {exercise.name}")
    program = desk.built(exercise, "program")
    right, said = check(exercise, source, build, program)
    print(said.rstrip())
    if source.suffix == ".cpp" and program.exists():
        print(f"\nTo try it by hand: {shown(program)} 1234")
    if exercise.hear.exists():
        print(f"\nTo hear it at a telnet: ./lab exercise hear {exercise.name}")
    if source.suffix == ".scenario":
        print(f"\nTo try it by hand: ./lab supervise {shown(source)}")
    if right:
        desk.put(exercise, "passed", True)
        print(f"\n{exercise.name}: passed. Compare with ./lab exercise solution {exercise.name}")
        return 0
    print(f"\n{exercise.name}: not yet. ./lab exercise hint {exercise.name} has hints; to read again: "
          f"{', '.join(shown(page) for page in exercise.chapters())}")
    return 1


def hint(exercise, desk):
    hints = exercise.hints()
    number = desk.get(exercise, "hints", 0) % len(hints)
    print(f"Hint {number + 1} of {len(hints)}\n\n{hints[number]}")
    desk.put(exercise, "hints", number + 1)
    if number + 1 == len(hints):
        print(f"\nThat was the last one: ./lab exercise solution {exercise.name}")


def hear(exercise, desk, build, port):
    """Becomes a server with the student's function in it."""
    source = desk.source(exercise)
    if not source.exists():
        raise Usage(f"you have not begun it: ./lab exercise {exercise.name}")
    if not exercise.hear.exists():
        raise Usage(f"{exercise.name} is not heard at a telnet; check says how to try it")
    server = desk.built(exercise, "heard")
    build_server(exercise, source, build, server, strict=False)
    os.execv(server, [str(server), port])


def stamp(path):
    """What changes at every save. None: an editor that replaces the file has just taken it away."""
    try:
        status = path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino
    except FileNotFoundError:
        return None


def watch(exercise, desk, build):
    """Checks at every save, until it passes or Ctrl-C comes."""
    source = desk.source(exercise)
    if not source.exists():
        begin(exercise, desk)
    checked = None
    try:
        while True:
            now = stamp(source)
            if now not in (None, checked):
                checked = now  # a save during the check is another one
                print(f"\n---- {exercise.name}, {time.strftime('%H:%M:%S')} {'-' * 60}")
                if check_copy(exercise, desk, build) == 0:
                    return 0
                print(f"\nSave {shown(source)}, and it is checked again; Ctrl-C ends this.")
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        print(f"\nWatched no longer; ./lab exercise watch {exercise.name} goes on.")
        return 0


def reset(exercise, desk):
    """The starter again. What was there is kept."""
    source = desk.source(exercise)
    if not source.exists():
        raise Usage(f"you have not begun it: ./lab exercise {exercise.name}")
    number = 1
    while (kept := source.with_name(f"{source.name}.{number}")).exists():
        number += 1
    source.rename(kept)
    shutil.copyfile(exercise.directory / "starter" / exercise.file, source)
    desk.forget(exercise)
    print(f"{shown(source)} is as it was at the beginning. Yours is kept: {shown(kept)}")


def show_difference(exercise, desk):
    """From the student's to the solution."""
    source = desk.source(exercise)
    if not source.exists():
        raise Usage(f"you have not begun it: ./lab exercise {exercise.name}")
    solution = exercise.directory / "solution" / exercise.file
    lines = list(difflib.unified_diff(source.read_text().splitlines(), solution.read_text().splitlines(),
                                      f"yours: {shown(source)}", f"the solution: {shown(solution)}", lineterm=""))
    colours = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"} if sys.stdout.isatty() else {}
    for line in lines:
        colour = colours.get(line[:1], "")
        print(f"{colour}{line}{colour and chr(27) + '[0m'}")
    if not lines:
        print("Yours is the solution, letter by letter.")
    elif desk.state(exercise) == "passed":
        print("\nYours passes, too: there is more than one way.")
    return 0


def show_solution(exercise):
    source = exercise.directory / "solution" / exercise.file
    remarks = exercise.directory / "solution.md"
    print(f"{shown(source)}:\n\n{source.read_text().rstrip()}\n\n{remarks.read_text().rstrip()}")


# ---- the suite ------------------------------------------------------------------------------------------------------


def prove(exercise, build):
    """That the starter fails for the intended reason, and the solution passes. Returns what is wrong, line by line."""
    wrong = []
    if exercise.minutes not in MINUTES:
        wrong.append(f"{exercise.minutes} minutes")
    if len(exercise.hints()) not in HINTS or not all(exercise.hints()):
        wrong.append("hints.md has not two or three hints")
    if not (exercise.directory / "solution.md").read_text().strip():
        wrong.append("solution.md is empty")
    starter, solution = (exercise.directory / which / exercise.file for which in ("starter", "solution"))
    if "Here:" not in starter.read_text():
        wrong.append("the starter does not mark the place with Here:")
    if not exercise.wrong_answers():
        wrong.append("there is no wrong answer that is proven to fail")
    wrong += prove_failure(exercise, starter, exercise.directory / "starter_fails.txt", build)
    right, said = check(exercise, solution, build, program_of(exercise, solution, build), strict=True)
    if not right:
        wrong.append(f"the solution fails:\n{said}")
    return wrong


def program_of(exercise, source, build):
    """Where the program is built that the check runs for one of the exercise's own files."""
    return build / "exercises" / exercise.name / source.parent.relative_to(exercise.directory) / "program"


def prove_failure(exercise, source, words_file, build):
    """That it compiles, and that the check says of it, in words, what the file has."""
    right, said = check(exercise, source, build, program_of(exercise, source, build), strict=True)
    if right:
        return [f"{shown(source)} passes:\n{said}"]
    words = [line for line in words_file.read_text().splitlines() if line]
    wrong = [f"{shown(source)} does not fail with: {line}\nbut with:\n{said}" for line in words if line not in said]
    if not words:
        wrong.append(f"{shown(words_file)} names no words")
    if "FAIL" not in said:
        wrong.append(f"the check of {shown(source)} does not speak in words:\n{said}")
    return wrong


def prove_wrong(exercise, answer, build):
    directory = exercise.directory / "wrong" / answer
    return prove_failure(exercise, directory / exercise.file, directory / "fails.txt", build)


def prove_table():
    listed = {exercise.name for exercise in all_exercises()}
    there = {path.parent.name for path in HERE.glob("*/README.md")}
    wrong = [f"{name} is not in the table of README.md" for name in sorted(there - listed)]
    if table() not in (HERE / "README.md").read_text():
        wrong.append(f"the table in README.md is not what the exercises say; it should be:\n{table()}")
    return wrong


def build_all(exercise, build):
    """What the suite needs of an exercise: the starter, the solution, the wrong answers."""
    for which in ["starter", "solution", *(f"wrong/{answer}" for answer in exercise.wrong_answers())]:
        source = exercise.directory / which / exercise.file
        out = program_of(exercise, source, build)
        out.parent.mkdir(parents=True, exist_ok=True)
        print(build_program(exercise, source, build, out, strict=True), end="")
    if exercise.hear.exists():
        source = exercise.directory / "solution" / exercise.file
        build_server(exercise, source, build, program_of(exercise, source, build).with_name("heard"), strict=True)


# ---- the command line -----------------------------------------------------------------------------------------------

VERBS = ("list", "check", "watch", "hear", "hint", "diff", "solution", "reset")
ONLY_PRINT = ("progress", "list", "hint", "diff", "solution")
SUITE_VERBS = ("needs", "build", "prove", "table", "prove_table")


def obey(words, desk, build, port):
    verb = words[0] if words and words[0] in VERBS + SUITE_VERBS else "begin" if words else "progress"
    if verb in ONLY_PRINT:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # | head has seen enough
    alone = verb in ("progress", "list", "table", "prove_table")
    expected = {"progress": 0, "begin": 1}.get(verb, 1 if alone else 2)
    if len(words) != expected:
        raise Usage("usage: ./lab exercise [list | NAME | check NAME | watch NAME | hear NAME | hint NAME | "
                    "diff NAME | solution NAME | reset NAME]")
    if alone:
        if verb == "prove_table":
            return report(prove_table())
        {"progress": lambda: show_progress(desk), "list": show_list, "table": lambda: print(table(), end="")}[verb]()
        return 0
    name, _, answer = words[-1].partition("/")  # "prove NAME/ANSWER"
    exercise = find(name)
    if verb == "hear":
        return hear(exercise, desk, build, port)
    if verb in ("check", "watch"):
        return {"check": check_copy, "watch": watch}[verb](exercise, desk, build)
    if verb == "prove":
        return report(prove_wrong(exercise, answer, build) if answer else prove(exercise, build))
    {"begin": lambda: begin(exercise, desk), "hint": lambda: hint(exercise, desk),
     "diff": lambda: show_difference(exercise, desk), "reset": lambda: reset(exercise, desk),
     "solution": lambda: show_solution(exercise), "needs": lambda: print(*exercise.needs()),
     "build": lambda: build_all(exercise, build)}[verb]()
    return 0


def report(wrong):
    for each in wrong:
        print(each, file=sys.stderr)
    return 1 if wrong else 0


def main():
    arguments = argparse.ArgumentParser(prog="exercise.py", add_help=False)
    arguments.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build")
    arguments.add_argument("--desk", type=pathlib.Path, default=ROOT / "exercises")
    arguments.add_argument("--port", default="1234")  # for hear
    arguments.add_argument("words", nargs="*")
    options = arguments.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # whoever watches reads what is said when it is said
    try:
        return obey(options.words, Desk(options.desk.resolve()), options.build_dir.resolve(), options.port)
    except CannotBuild as error:
        print(does_not_compile(str(error)), file=sys.stderr)
        return 1
    except Usage as error:
        print(f"exercise: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
