#!/usr/bin/env python3
"""Grades a whole class: ./lab class DIR STAGE

Every directory in DIR is a submission. It is started by the script `run` in it, which gets the port as its argument, or by
--command, where {port} stands for the port. Some are graded at a time, each in a sandbox with bounds, so that none can
harm another or this machine. The reports are written beside DIR; a second run grades what has changed.
"""

import argparse
import hashlib
import json
import os
import pathlib
import queue
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time

import reports

HERE = pathlib.Path(__file__).resolve().parent
SANDBOX = HERE / "sandbox.py"

jobs_per_processor = 4        # most of a run is waiting
most_step_seconds = 15        # of a right server no step takes a third of it
most_submission_bytes = 100 << 20
most_submission_files = 10_000
seconds_for_start_and_end = 60  # of a sandbox, beyond the time of what it does
disturbed_seconds = 2         # around a broken bound: what failed then is asked again
form = 1                      # of what is kept between runs: others are not understood


class Class:
    def __init__(self, options):
        self.options = options
        self.directory = pathlib.Path(options.directory).resolve()
        self.stage = options.stage
        self.out = pathlib.Path(options.out or f"{self.directory}-graded-{self.stage}").resolve()
        self.grader = pathlib.Path(options.grader).resolve()
        self.bounds = {"time": options.time, "start": min(options.start, options.time), "memory": options.memory, "processes": options.processes,
                       "files": options.files, "output": options.output}
        self.steps = self.ask_for_steps()
        self.processes = set()
        self.lock = threading.Lock()
        self.ended = False
        self.namespaces, self.walls = True, ""
        if options.no_namespaces:
            self.namespaces, self.walls = False, "as it was asked for"
        elif why_not := self.try_namespaces():
            self.namespaces, self.walls = False, why_not

    # ---- what there is ----

    def which_steps(self):
        return [f"--{name}" for name in ("strict", "required") if getattr(self.options, name)]

    def ask_for_steps(self):
        done = subprocess.run([str(self.grader), self.stage, "--list", "--json", *self.which_steps()], capture_output=True,
                              text=True)
        if done.returncode != 0:
            usage_error(done.stderr.strip().removeprefix("grade: "))
        return json.loads(done.stdout)

    def submissions(self):
        found = []
        for path in sorted(self.directory.iterdir()):
            if path.is_dir() and not path.is_symlink() and not path.name.startswith(".") and path.resolve() != self.out:
                found.append((path.name, root_of(path, self.options.command)))
        return found

    def key(self, root):
        """What the verdict depends on. None, with the reason, where the submission is too large."""
        sha = hashlib.sha256()
        sha.update(json.dumps([form, self.stage, self.bounds, self.options.command, self.options.build, self.options.seed,
                               self.options.strict, self.options.required, self.options.crash, self.options.see, self.namespaces]).encode())
        for path in (self.grader, SANDBOX, HERE / "class.py"):
            sha.update(path.read_bytes())
        return content(root, sha)

    # ---- grading ----

    def words(self):
        words = [self.stage, "--json", "--keep-going", "--seed", str(self.options.seed), "--time-limit",
                 str(self.bounds["time"]), "--max-output", str(self.bounds["output"]), "--step-limit",
                 str(min(self.bounds["time"], most_step_seconds)), "--start-limit", str(self.bounds["start"])]
        if self.options.crash:
            words += ["--crash", self.options.crash]
        return words + self.which_steps()

    def specification(self, root, place):
        homes = {str(pathlib.Path.home()), "/root", "/home"}
        return {"submission": str(root), "place": place, "grader": str(self.grader),
                "namespaces": self.namespaces, "bounds": self.bounds, "see": self.options.see,
                "hide": sorted({*homes, str(self.directory), str(self.out)}),
                "build": shlex.split(self.options.build) if self.options.build else None,
                "command": shlex.split(self.options.command) if self.options.command else ["./run", "{port}"],
                "grade": self.words()}

    def sandbox(self, spec):
        """Runs it to its end, whatever is inside."""
        most = self.bounds["time"] * (2 if spec["build"] else 1) + seconds_for_start_and_end
        process = subprocess.Popen([sys.executable, "-I", "-S", SANDBOX], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        with self.lock:
            self.processes.add(process)
        try:
            text, errors = process.communicate(json.dumps(spec), timeout=most)
            return json.loads(text) if text else {"error": errors.strip().splitlines()[-1] if errors.strip() else "no word"}
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return {"error": f"the sandbox did not end within {most} s, and was ended"}
        finally:
            with self.lock:
                self.processes.discard(process)

    def grade(self, name, root):
        begin = time.time()
        place = tempfile.mkdtemp(prefix="five-class-")
        try:
            outcome = self.sandbox(self.specification(root, place))
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return judged(name, self.steps, outcome, begin, time.time())

    def try_namespaces(self):
        """Why the system does not allow them; empty where it does."""
        with tempfile.TemporaryDirectory(prefix="five-class-") as place:
            nothing, world = os.path.join(place, "nothing"), os.path.join(place, "world")
            os.mkdir(nothing)
            os.mkdir(world)
            spec = self.specification(nothing, world) | {"build": ["true"], "command": ["true"], "grade": ["--help"]}
            outcome = self.sandbox(spec)
        if outcome.get("grader") == 0:
            return ""
        return outcome.get("error") or (outcome.get("build") or {}).get("output", "").strip() or "they do not work"

    def end(self):
        self.ended = True
        with self.lock:
            for process in self.processes:
                process.kill()


def root_of(path, command):
    """Where the submission begins: an archive may have put it one directory deeper, or two."""
    if command or (path / "run").exists():
        return path
    deeper = [run.parent for pattern in ("*/run", "*/*/run") for run in sorted(path.glob(pattern)) if run.is_file()]
    return deeper[0] if len(deeper) == 1 else None


def content(root, sha):
    """(hash, None), or (None, why not). Links count as links: what they point to is not read."""
    size = number = 0
    for directory, names, files in os.walk(root):
        names.sort()
        for name in sorted(names + files):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            number += 1
            sha.update(f"{os.path.relpath(path, root)}\0{stat.S_IFMT(status.st_mode)}\0{status.st_mode & 0o111}\0".encode(
                errors="surrogateescape"))
            if stat.S_ISLNK(status.st_mode):
                sha.update(os.fsencode(os.readlink(path)) + b"\0")
            elif stat.S_ISREG(status.st_mode):
                size += status.st_size
                if size > most_submission_bytes:
                    return None, f"the submission is larger than {most_submission_bytes >> 20} MiB"
                with open(path, "rb") as file:
                    while block := file.read(1 << 20):
                        sha.update(block)
            if number > most_submission_files:
                return None, f"the submission has more than {most_submission_files} files"
    return sha.hexdigest(), None


# ---- what came of it ------------------------------------------------------------------------------------------------

def without_run(name, steps, reason):
    now = time.time()
    return judged(name, steps, {"error": reason}, now, now)


def judged(name, steps, outcome, begin, end):
    """The result of one submission, as the reports and the next run want it."""
    report = outcome.get("report") or {}
    done = {step["step"]: step for step in report.get("steps", ())}
    result = {"name": name, "begin": begin, "end": end, "steps": [], "broken": outcome.get("broken"), "reason": ""}
    build = outcome.get("build")
    if outcome.get("error"):
        result["verdict"], result["reason"] = "could not run", outcome["error"]
    elif build and (build["code"] != 0 or (result["broken"] and not report)):
        how = result["broken"][1] if result["broken"] else f"exit code {build['code']}"
        result["verdict"], result["reason"] = "does not build", f"{how}\n{build['output']}"
    elif result["broken"]:
        result["verdict"], result["reason"] = "broke a bound", result["broken"][1]
    elif not report:
        result["verdict"] = "could not run"
        result["reason"] = f"the grader was ended (exit code {outcome.get('grader')}) and has not reported"
    else:
        result["verdict"], result["reason"] = report["verdict"], report.get("reason", "")
        if "has printed more than" in result["reason"] and result["verdict"] == "could not run":
            result["verdict"], result["broken"] = "broke a bound", ["output", result["reason"]]
    for step in steps:
        seen = done.get(step["step"], {"verdict": "not reached", "milliseconds": 0})
        result["steps"].append({**step, **{key: seen[key] for key in ("verdict", "milliseconds", "reason", "expected", "got",
                                                                      "hint", "server_ended", "text") if key in seen}})
    result["max"] = sum(step["points"] for step in steps)
    result["score"] = sum(step["points"] for step in result["steps"] if step["verdict"] == "passed")
    return result


def failed_meanwhile(result, disturbances, most_seconds):
    """Whether a step that decides failed while somebody else's submission broke its bounds: that verdict is not trusted.

    Who has used up all the time has done so by itself: such a moment is short, and a right server needs a quarter of it."""
    if result["verdict"] not in ("fail", "not decided", "could not run") or result["end"] - result["begin"] >= most_seconds:
        return False
    elsewhere = [when for who, when in disturbances if who != result["name"]]
    at = result["begin"]
    for step in result["steps"]:
        end = at + step["milliseconds"] / 1000
        if step["decides"] and step["verdict"] != "passed":
            if any(at - disturbed_seconds <= when <= end + disturbed_seconds for when in elsewhere):
                return True
        at = end
    return False


# ---- a run ----------------------------------------------------------------------------------------------------------

class Progress:
    """Who is done, as it comes; on a terminal also how many are left."""

    def __init__(self, number):
        self.number, self.done, self.lock = number, 0, threading.Lock()
        self.is_terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def tell(self, result):
        with self.lock:
            self.done += 1
            line = (f"[{self.done:{len(str(self.number))}}/{self.number}] {reports.visible(result['name'])}: "
                    f"{reports.verdict_in_words(result)} ({result['end'] - result['begin']:.0f} s)")
            print(("\r\033[K" if self.is_terminal else "") + line, file=sys.stderr, flush=True)
            if self.is_terminal and self.done < self.number:
                print(f"{self.number - self.done} more …", end="", file=sys.stderr, flush=True)


def grade_all(klass, todo, tell):
    """[(name, root)] → {name: result}, some at a time."""
    results, waiting = {}, queue.SimpleQueue()
    for each in todo:
        waiting.put(each)

    def work():
        while not klass.ended:
            try:
                name, root = waiting.get_nowait()
            except queue.Empty:
                return
            result = klass.grade(name, root)
            if not klass.ended:
                results[name] = result
                tell(result)

    threads = [threading.Thread(target=work) for _ in range(min(klass.options.jobs, len(todo)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def read_kept(out, name, key):
    try:
        kept = json.loads((out / ".kept" / f"{name}.json").read_text())
        return kept["result"] if kept["form"] == form and kept["key"] == key else None
    except (OSError, ValueError, KeyError):
        return None


def keep(out, name, key, result):
    (out / ".kept").mkdir(exist_ok=True)
    (out / ".kept" / f"{name}.json").write_text(json.dumps({"form": form, "key": key, "result": result}))


def run(options):
    klass = Class(options)
    submissions = klass.submissions()
    if not submissions:
        usage_error(f"no directories in {options.directory}: each submission is one")
    if klass.out.is_relative_to(klass.directory):
        usage_error("--out lies in the directory of the submissions")
    klass.out.mkdir(parents=True, exist_ok=True)
    results, todo, keys = {}, [], {}
    for name, root in submissions:
        key, why = klass.key(root) if root else (None, "there is no script called run in it, or more than one")
        if key is None:
            results[name] = without_run(name, klass.steps, why)
        elif not options.again and (kept := read_kept(klass.out, name, key)):
            results[name] = kept
        else:
            keys[name] = key
            todo.append((name, root))
    walls = ("each in namespaces of its own" if klass.namespaces else
             f"in no namespaces ({klass.walls}): submissions see the network, and what you may see; bounds hold")
    unchanged = len(submissions) - len(todo)
    print(f"class {klass.stage}: {reports.count(len(todo), 'submission')} to grade, {unchanged} unchanged; {walls}",
          file=sys.stderr, flush=True)

    def end(number, _frame):
        klass.end()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    progress = Progress(len(todo))
    new = grade_all(klass, todo, progress.tell)
    disturbances = [(name, each["end"]) for name, each in new.items() if each["broken"] and each["broken"][0] in ("processes", "memory")]
    again = [(name, root) for name, root in todo if name in new and failed_meanwhile(new[name], disturbances, klass.bounds["time"])]
    if again and not klass.ended:
        print(f"{reports.count(len(again), 'submission')} once more, because another one broke its bounds meanwhile",
              file=sys.stderr, flush=True)
        progress.number += len(again)
        new |= grade_all(klass, again, progress.tell)
    for name, result in new.items():
        keep(klass.out, name, keys[name], result)
    results |= new
    if klass.ended:
        print("ended; what is graded is kept for the next run, no report is written", file=sys.stderr)
        return 130
    ordered = [results[name] for name, _ in submissions]
    reports.write(klass.out, klass.stage, klass.steps, ordered, klass.namespaces, klass.walls)
    print(reports.summary(ordered, klass.out))
    return 0


def usage_error(what):
    print(f"class: {what} (./lab class --help explains)", file=sys.stderr)
    sys.exit(2)


def parse(words):
    class Parser(argparse.ArgumentParser):
        def error(self, message):
            usage_error(message)

    def number(least, most):
        def parsed(text):
            if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
                raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
            return int(text)
        return parsed

    parser = Parser(prog="class", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", metavar="DIR", help="where each submission is a directory")
    parser.add_argument("stage", metavar="STAGE", help="what ./lab grade asks for: 01 to 05, budget_chat")
    parser.add_argument("--command", help="how a submission is started, in its directory: './server {port}'; else ./run PORT")
    parser.add_argument("--build", metavar="COMMAND", help="is run in each one's directory before: make")
    parser.add_argument("--out", metavar="DIR", help="where the reports go (DIR-graded-STAGE)")
    parser.add_argument("--again", action="store_true", help="grade also what has not changed")
    parser.add_argument("--strict", action="store_true", help="advice decides, too, and counts")
    parser.add_argument("--required", action="store_true", help="leave the advice out, which is faster")
    parser.add_argument("--seed", type=number(0, 10**9), default=1, help="another run of the random parts (%(default)s)")
    parser.add_argument("--crash", metavar="LINE", help="04: a line that makes one of a server's processes crash")
    parser.add_argument("--jobs", type=number(1, 256), metavar="N", default=jobs_per_processor * (os.cpu_count() or 1),
                        help="so many at a time (%(default)s)")
    bounds = parser.add_argument_group("bounds of each submission")
    bounds.add_argument("--time", type=number(5, 3600), metavar="SECONDS", default=60,
                        help="for all the steps together, and for the build (%(default)s)")
    bounds.add_argument("--start", type=number(1, 3600), metavar="SECONDS", default=20,
                        help="until it listens, each time it is started (%(default)s)")
    bounds.add_argument("--memory", type=number(16, 1 << 20), metavar="MIB", default=1024,
                        help="of all its processes together (%(default)s)")
    bounds.add_argument("--processes", type=number(8, 100_000), metavar="N", default=3000,
                        help="and threads, at once (%(default)s)")
    bounds.add_argument("--files", type=number(1, 1 << 20), metavar="MIB", default=256,
                        help="that it may write, and of which it consists (%(default)s)")
    bounds.add_argument("--output", type=number(1, 1 << 20), metavar="MIB", default=64, help="that it prints (%(default)s)")
    bounds.add_argument("--see", action="append", metavar="DIR", default=[], type=os.path.realpath,
                        help="homes are hidden; this directory in one is not: ~/.nvm")
    bounds.add_argument("--no-namespaces", action="store_true", help="only limits: where namespaces get in the way")
    parser.add_argument("--grader", default="build/bin/grade", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if not os.path.isdir(options.directory):
        usage_error(f"there is no directory {options.directory}")
    if options.strict and options.required:
        usage_error("--strict and --required exclude each other")
    if options.command and "{port}" not in options.command:
        usage_error("no {port} in the command: put it where the server takes its port")
    for name in ("command", "build"):
        try:
            if getattr(options, name) is not None and not shlex.split(getattr(options, name)):
                usage_error(f"--{name} is empty")
        except ValueError as error:
            usage_error(f"--{name}: {error}")
    if not os.access(options.grader, os.X_OK):
        usage_error(f"there is no grader at {options.grader}: has it been built?")
    missing = [program for program in ("prlimit", "setpriv") if not shutil.which(program)]
    if missing:
        usage_error(f"this needs {' and '.join(missing)}, of util-linux")
    return options


if __name__ == "__main__":
    sys.exit(run(parse(sys.argv[1:])))
