#!/usr/bin/env python3
"""Tests of ./lab and of what it calls, in a small project of their own: lab_test.py NAME. Exit 77: cannot be tried here."""

import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pexpect

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_SECONDS = 60

UNUSED_PARAMETER = """
#include <cstdio>
#include "01_naive/server.hpp"
static int answer(int prefix) { return 0; }
int main() { std::puts("it runs"); return answer(1); }
"""


class Skip(Exception):
    pass


class Project:
    """`lab` and the presets as they are, and a first stage with a student's first experiment in it."""

    def __init__(self, source=UNUSED_PARAMETER):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="five_lab."))
        for name in ("lab", "CMakePresets.json"):
            shutil.copy(ROOT / name, self.directory)
        (self.directory / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.24)\nproject(small CXX)\nadd_compile_options(-Wall -Wextra)\ninclude_directories(${PROJECT_SOURCE_DIR})\n"
            "set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)\n"
            "add_executable(01_naive 01_naive/server.cpp)\nadd_custom_target(echo_client)\nadd_custom_target(by_hand)\n"
            "add_custom_target(programs DEPENDS 01_naive)\n"
            "add_library(common STATIC common/common.cpp)\ntarget_precompile_headers(common PRIVATE <cstdio>)\n"
            "include(common/own_stages.cmake)\n")
        (self.directory / "common").mkdir()
        (self.directory / "common/common.cpp").touch()
        shutil.copy(ROOT / "common/own_stages.cmake", self.directory / "common")
        (self.directory / "01_naive").mkdir()
        (self.directory / "01_naive/server.hpp").write_text("static int answer(int prefix);\n")
        (self.directory / "01_naive/CMakeLists.txt").touch()
        (self.directory / "01_naive/server.cpp").write_text(source)
        self.environment = {name: value for name, value in os.environ.items() if name not in ("CI", "FIVE_WARNINGS")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)

    def lab(self, *words, **environment):
        return subprocess.run([self.directory / "lab", *words], env={**self.environment, **environment}, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=MOST_SECONDS, check=False)

    def lab_in_terminal(self, *words, **environment):
        return pexpect.spawn(str(self.directory / "lab"), list(words), env={**self.environment, **environment},
                             encoding="utf-8", timeout=MOST_SECONDS, dimensions=(24, 120))

    def without_packages(self, user="0"):
        """A Debian on which nothing is installed; apt-get writes down what it is asked to do."""
        self.done = self.directory / "apt-get.done"
        self.done.touch()
        self.stand_in({"dpkg-query": "exit 1", "apt-cache": "echo '  Candidate: 1.83'", "id": f"echo {user}",
                       "sudo": 'exec "$@"', "apt-get": f'echo "$*" >> {self.done}', "dpkg": "exit 0"})

    def stand_in(self, commands):
        """Scripts that are found before the commands of these names."""
        (self.directory / "bin").mkdir()
        for name, body in commands.items():
            (self.directory / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
            (self.directory / "bin" / name).chmod(0o755)
        self.environment["PATH"] = f"{self.directory / 'bin'}:{self.environment['PATH']}"


def expect(condition, *what):
    if not condition:
        raise AssertionError("\n".join(map(str, what)))


def a_warning_is_seen_and_stops_nobody():
    with Project() as project:
        ran = project.lab("run", "01")
        expect(ran.returncode == 0 and ran.stdout == "it runs\n", "an unused parameter is no reason not to run:", ran)
        expect("-Wunused-parameter" in ran.stderr, "the warning was not shown:", ran.stderr)
        ran = project.lab("run", "01")
        expect(ran.stderr == "", "where nothing is compiled, nothing is said:", ran.stderr)


def a_warning_stops_ci_and_changes_nobodys_build():
    with Project() as project:
        expect(project.lab("build", "programs").returncode == 0, "people's build fails")
        before = (project.directory / "build/CMakeCache.txt").read_text()
        built = project.lab("build", "programs", FIVE_WARNINGS="errors")
        expect(built.returncode == 1 and "-Werror" in built.stderr, "the warning did not stop CI:", built)
        expect((project.directory / "build/CMakeCache.txt").read_text() == before, "people's build was configured anew")


def a_stage_of_ones_own_is_run_by_its_name_whatever_its_warnings():
    with Project() as project:
        copied = project.lab("copy", "01", "mine")
        expect(copied.returncode == 0 and "own/mine is yours" in copied.stderr, copied)
        mine = project.directory / "own/mine/server.cpp"
        expect('#include "own/mine/server.hpp"' in mine.read_text(), "it includes what is another stage's:", mine.read_text())
        mine.write_text(mine.read_text().replace("it runs", "mine runs"))
        ran = project.lab("run", "mine", FIVE_WARNINGS="errors")
        expect(ran.returncode == 0 and ran.stdout == "mine runs\n" and "-Wunused-parameter" in ran.stderr, ran)
        again = project.lab("copy", "01", "mine")
        expect(again.returncode == 1 and "stays as it is" in again.stderr and "mine runs" in mine.read_text(), again)
        for name in ("", "../x", "Mine"):
            wrong = project.lab("copy", "01", name)
            expect(wrong.returncode == 2 and "which name?" in wrong.stderr, wrong)


def what_does_not_compile_of_ones_own_stops_nothing_else():
    with Project() as project:
        project.lab("copy", "01", "mine")
        (project.directory / "own/mine/server.cpp").write_text("int main() { return nothing; }")
        expect(project.lab("run", "01").stdout == "it runs\n", "the stage does not run any more")
        expect(project.lab("build", "programs").returncode == 0, "the programs cannot be built any more")
        ran = project.lab("run", "mine")
        expect(ran.returncode == 1 and "was not declared" in ran.stderr, ran)


def an_error_is_shown_whole():
    with Project(source="int main() { return nothing; }") as project:
        ran = project.lab("run", "01")
        expect(ran.returncode == 1 and "'nothing' was not declared" in ran.stderr.replace("‘", "'").replace("’", "'"), ran)


def on_a_terminal_it_says_how_far_it_is():
    with Project() as project:
        terminal = project.lab_in_terminal("run", "01")
        terminal.expect(r"lab: compiling 01_naive, about half a minute the first time \[1/\d\]")
        terminal.expect("it runs")
        terminal.expect(pexpect.EOF)


def elsewhere_it_says_once_that_it_compiles():
    with Project() as project:
        said = project.lab("run", "01").stderr
        expect(said.count("compiling") == 1 and "\r" not in said and "[1/" not in said, said)


def of_two_windows_one_compiles_and_the_other_waits():
    with Project() as project:
        (project.directory / "build").mkdir()
        with open(project.directory / "build/lab.lock", "w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            terminal = project.lab_in_terminal("run", "01")
            terminal.expect("another window compiles")
        terminal.expect("lab: compiling 01_naive")
        terminal.expect("it runs")
        terminal.expect(pexpect.EOF)


def a_server_that_runs_keeps_nobody_from_compiling():
    with Project(source="#include <cstdio>\nint main() { std::puts(\"it runs\"); return std::getchar() == EOF; }") as project:
        server = project.lab_in_terminal("run", "01")
        server.expect("it runs")
        ran = project.lab("run", "01")
        expect(ran.stdout == "it runs\n" and ran.stderr == "", ran)
        server.sendline()
        server.expect(pexpect.EOF)


def a_stage_is_known_by_its_name_and_others_are_listed():
    with Project() as project:
        expect(project.lab("run", "naive").stdout == "it runs\n", "./lab run naive does not run it")
        wrong = project.lab("run", "nine")
        expect(wrong.returncode == 2 and wrong.stderr == "lab: there is no stage nine; stages: 01_naive; ./lab help explains\n",
               wrong)


def a_preset_that_is_not_there_is_wrong_usage():
    with Project() as project:
        wrong = project.lab("build", "luck")
        expect(wrong.returncode == 2 and "build what? One of: programs bench release debug" in wrong.stderr, wrong)
        expect(not (project.directory / "build-luck").exists(), "a directory was made for it")


def before_it_installs_it_asks_on_a_terminal():
    with Project() as project:
        project.without_packages(user="1000")
        terminal = project.lab_in_terminal("docs")
        terminal.expect(r"this needs python3 python3-markdown-it python3-pygments [^;]*; install with sudo apt-get\? \[Y/n\] ")
        terminal.sendline("n")
        terminal.expect("not installed")
        terminal.expect(pexpect.EOF)
        expect(project.done.read_text() == "", "it was told not to, and did:", project.done.read_text())

        terminal = project.lab_in_terminal("docs")
        terminal.expect(r"\[Y/n\] ")
        terminal.sendline("")
        terminal.expect("installing python3 python3-markdown-it python3-pygments")
        terminal.expect(pexpect.EOF)
        expect("install" in project.done.read_text(), "a line feed means yes; done:", project.done.read_text())


def nobody_is_asked_without_a_terminal_nor_in_ci():
    with Project() as project:
        project.without_packages()
        said = project.lab("docs").stderr
        expect("[Y/n]" not in said and "install" in project.done.read_text(), said, project.done.read_text())
        project.done.write_text("")
        terminal = project.lab_in_terminal("docs", CI="true")
        terminal.expect(pexpect.EOF)
        expect("[Y/n]" not in terminal.before and "install" in project.done.read_text(), terminal.before)


def it_says_what_it_would_install():
    for user, apt_get in (("0", "apt-get"), ("1000", "sudo apt-get")):
        with Project() as project:
            project.without_packages(user)
            told = project.lab("--no-install", "docs")
            expect(told.returncode == 1 and
                   told.stderr.startswith(f"lab: missing; install with: {apt_get} install python3 python3-markdown-it python3-pygments "), told)
            expect(project.done.read_text() == "", project.done.read_text())


def etcd_is_installed_where_it_is_missing():
    with Project() as project:
        project.without_packages()
        told = project.lab("--no-install", "etcd")
        expect(told.returncode == 1 and told.stderr == "lab: missing; install with: apt-get install python3 etcd-server etcd-client\n",
               told)


def etcd_is_told_how_many():
    with Project() as project:
        project.stand_in({"dpkg-query": "echo installed"})
        shutil.copytree(ROOT / "docs/etcd", project.directory / "docs/etcd")
        told = project.lab("etcd", "none")
        expect(told.returncode == 2 and "none members? 1 to 7" in told.stderr, told)


# ---- with other presets, and in the debugger ----------------------------------------------------------------------

RACE = """
#include <cstdio>
#include <thread>
int main() {
    int shared = 0;
    std::thread other([&] { for (int i = 0; i < 100000; ++i) ++shared; });
    for (int i = 0; i < 100000; ++i) ++shared;
    other.join();
    std::puts("it runs");
}
"""
OVERRUN = """
#include <cstdio>
int main(int argc, char**) {
    int* few = new int[2]();
    std::printf("%d\\n", few[1 + argc]);
}
"""
# The small project has no such option of its own.
SANITIZE = "if(FIVE_SANITIZE)\nadd_compile_options(-fsanitize=${FIVE_SANITIZE})\nadd_link_options(-fsanitize=${FIVE_SANITIZE})\nendif()\n"


def a_preset_finds_what_others_do_not_see():
    for preset, source, found in (("tsan", RACE, "data race"), ("asan", OVERRUN, "heap-buffer-overflow")):
        with Project(source) as project:
            recipe = project.directory / "CMakeLists.txt"
            recipe.write_text(recipe.read_text().replace("add_executable", SANITIZE + "add_executable"))
            ran = project.lab("run", "01", "--with", preset)
            expect(ran.returncode != 0 and found in ran.stderr, ran)
            expect(f"compiling 01_naive with {preset}" in ran.stderr, ran.stderr)
            expect(not (project.directory / "build").exists(), "the build that others run was made as well")


def options_follow_two_dashes_after_a_preset_too():
    with Project('#include <cstdio>\nint main(int, char** words) { std::puts(words[1]); }') as project:
        ran = project.lab("run", "01", "--with", "debug", "--", "--port")
        expect(ran.returncode == 0 and ran.stdout == "--port\n", ran)
        wrong = project.lab("run", "01", "--with", "luck")
        expect(wrong.returncode == 2 and "--with what? One of: debug asan tsan" in wrong.stderr, wrong)


def the_debugger_gets_the_server_and_both_sorts_of_options():
    with Project() as project:
        project.stand_in({"gdb": 'printf "%s\\n" "$@"', "dpkg-query": "echo installed"})
        ran = project.lab("debug", "01", "-batch", "-ex", "info line main", "--", "--port", "0")
        expect(ran.stdout.splitlines() == ["-q", "-batch", "-ex", "info line main", "--args", "build-debug/bin/01_naive",
                                           "--port", "0"], ran)
        expect("first type: break serve" in ran.stderr, ran.stderr)


def the_debugger_knows_the_servers_lines():
    if not shutil.which("gdb"):
        raise Skip("there is no gdb here")
    with Project() as project:
        project.stand_in({"dpkg-query": "echo installed"})
        ran = project.lab("debug", "01", "-batch", "-ex", "info line main", "--", "--port", "0")
        before = (project.directory / "01_naive/server.cpp").read_text().partition("int main")[0]
        line = before.count("\n") + 1
        expect(ran.returncode == 0 and re.search(rf'Line {line} of ".*01_naive/server.cpp"', ran.stdout), ran)


def where_the_debugger_is_to_stop_is_in_every_stage():
    for server in ROOT.glob("[0-9][0-9]_*/server.cpp"):
        if server.parent.name != "04_supervised":  # whose workers run 03's
            expect(re.search(r"^[\w:<>]+ serve\(", server.read_text(), flags=re.M), f"{server} has no function serve")


def a_missing_debugger_is_installed():
    with Project() as project:
        project.without_packages()
        told = project.lab("--no-install", "debug", "01")
        expect(told.returncode == 1 and re.search(r"missing; install with: apt-get install .*\bgdb$", told.stderr), told)


# ---- formatting, and before a commit ------------------------------------------------------------------------------

# A formatter that knows one thing: tabs are four blanks.
FORMATTER = r"""
case $1 in
    -i) shift; sed -i 's/\t/    /g' "$@" ;;
    --dry-run) shift 2; if grep -lP '\t' "$@" >&2; then exit 1; fi ;;
esac
"""
IN_FORMAT, NOT_IN_FORMAT = "int main() {\n    return 0;\n}\n", "int main() {\n\treturn 0;\n}\n"


class Clone(Project):
    """With git, its first commit, a formatter of our own, and no search for arrows."""

    def __init__(self, source=IN_FORMAT):
        if not shutil.which("git"):
            raise Skip("there is no git here")
        super().__init__(source)
        self.stand_in({"clang-format-19": FORMATTER, "shellcheck": "exit 0", "dpkg-query": "echo installed"})
        self.environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(self.directory)}
        (self.directory / "tests/house").mkdir(parents=True)
        (self.directory / "tests/house/arrows.py").write_text("#!/bin/sh\nexit 0\n")
        (self.directory / "tests/house/arrows.py").chmod(0o755)
        self.server = self.directory / "01_naive/server.cpp"
        self.hook = self.directory / ".git/hooks/pre-commit"
        self.git("init", "-q")
        for name, value in (("user.name", "Ann"), ("user.email", "ann@example.org")):
            self.git("config", name, value)
        self.git("add", "--all", ":!bin")
        self.git("commit", "-qm", "All of it")

    def git(self, *words):
        return subprocess.run(["git", *words], cwd=self.directory, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=MOST_SECONDS, check=False)

    def change(self, text):
        self.server.write_text(text)
        self.git("add", "01_naive/server.cpp")

    def commit(self):
        return self.git("commit", "-qm", "A change")


def what_git_knows_is_formatted():
    with Clone(NOT_IN_FORMAT) as clone:
        (clone.directory / "mine.cpp").write_text(NOT_IN_FORMAT)
        asked = clone.lab("format", "--check")
        expect(asked.returncode == 1 and "01_naive/server.cpp\nlab: ./lab format puts this right" in asked.stderr, asked)
        expect(clone.server.read_text() == NOT_IN_FORMAT, "it was only to say what it would do")
        done = clone.lab("format")
        expect(done.returncode == 0 and done.stderr == "lab: formatted 01_naive/server.cpp\n", done)
        expect(clone.server.read_text() == IN_FORMAT, clone.server.read_text())
        expect((clone.directory / "mine.cpp").read_text() == NOT_IN_FORMAT, "git does not know that one")
        again = clone.lab("format", "--check")
        expect(again.returncode == 0 and again.stderr == "", again)


def a_commit_is_checked_as_it_is_staged():
    with Clone() as clone:
        expect(clone.lab("hooks").returncode == 0, "no hook was made")
        clone.change(NOT_IN_FORMAT)
        clone.server.write_text(IN_FORMAT)  # what lies there is right, and is not what would be committed
        refused = clone.commit()
        expect(refused.returncode == 1 and "not committed" in refused.stderr, refused)
        clone.git("add", "01_naive/server.cpp")
        clone.change(IN_FORMAT + "// more\n")
        clone.server.write_text(NOT_IN_FORMAT)
        expect(clone.commit().returncode == 0, "what is staged was right")
        expect(clone.server.read_text() == NOT_IN_FORMAT, "what lies there was changed")
        expect(clone.lab("hooks", "--remove").returncode == 0 and not clone.hook.exists(), "the hook is still there")
        clone.change(NOT_IN_FORMAT)
        expect(clone.commit().returncode == 0, "it checks after its end")


def scripts_and_arrows_are_checked_before_a_commit():
    for name, text, said in (("a.py", "def broken(:\n", "SyntaxError"), ("a.sh", "#!/bin/sh\n", "what shellcheck says"),
                             ("a.cpp", "", "an arrow")):
        with Clone() as clone:
            (clone.directory / "bin/shellcheck").write_text("#!/bin/sh\necho what shellcheck says; exit 1\n")
            (clone.directory / "tests/house/arrows.py").write_text("#!/bin/sh\necho an arrow; exit 1\n")
            clone.git("commit", "-qam", "What finds arrows")
            clone.lab("hooks")
            (clone.directory / name).write_text(text)
            clone.git("add", name)
            refused = clone.commit()
            expect(refused.returncode == 1 and said in refused.stderr, name, refused)


def somebodys_own_hook_stays():
    with Clone() as clone:
        clone.hook.parent.mkdir(exist_ok=True)
        clone.hook.write_text("#!/bin/sh\n./lab hooks --staged\n")
        for words in (["hooks"], ["hooks", "--remove"]):
            ran = clone.lab(*words)
            expect(ran.returncode == 1 and ".git/hooks/pre-commit is yours, and stays as it is" in ran.stderr, ran)
        expect(clone.hook.read_text() == "#!/bin/sh\n./lab hooks --staged\n", clone.hook.read_text())
        clone.hook.unlink()
        clone.git("config", "core.hooksPath", str(clone.directory / "hooks of all"))
        ran = clone.lab("hooks")
        expect(ran.returncode == 1 and "hooks of all/pre-commit is yours" in ran.stderr, ran)


def without_a_clone_there_is_nothing_to_format_and_no_hook():
    with Clone() as clone:
        shutil.rmtree(clone.directory / ".git")
        for verb in ("format", "hooks"):
            ran = clone.lab(verb)
            expect(ran.returncode == 1 and "this is for a clone" in ran.stderr, ran)


def help_tells_of_every_verb():
    with Project() as project:
        told = project.lab("help").stdout
        verbs = re.findall(r"^    ([a-z]+)(?: \|.*)?\)", (project.directory / "lab").read_text().rpartition("case $verb in")[2],
                           flags=re.M)
        expect(len(verbs) > 10, verbs)
        for verb in verbs:
            expect(f"./lab {verb}" in told, f"./lab help says nothing of {verb}")


# ---- where others run it --------------------------------------------------------------------------------------------


def ci_and_the_container_call_what_is_there():
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    expect(re.search(r"^ +- run: (sudo )?\.ci/run$", workflow, flags=re.M), workflow)
    expect(os.access(ROOT / ".ci/run", os.X_OK), ".ci/run is no program")
    text = (ROOT / ".devcontainer/devcontainer.json").read_text()
    container = json.loads(re.sub(r"^ *//.*$", "", text, flags=re.M))
    expect(container["image"].endswith(":trixie") and container["postCreateCommand"] == "./lab build", container)


# ---- ./lab fresh ----------------------------------------------------------------------------------------------------

def ask(kind, program):
    return subprocess.run([ROOT / "tests/fresh/ask.sh", kind, sys.executable, "-c", program], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=MOST_SECONDS, check=False)


SERVER = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print("Listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
client = listener.accept()[0]
client.sendall({answer})
"""
END = "\nlistener.accept()"


def fresh_asks_a_server_and_says_what_is_wrong():
    good = ask("ECHO", SERVER.format(answer='b"ECHO " + client.recv(100)') + END)
    expect(good.returncode == 0, good)
    wrong = ask("ECHO", SERVER.format(answer="client.recv(100).upper()") + "client.close()" + END)
    expect(wrong.returncode == 1 and 'does not answer "ECHO Hello!"' in wrong.stderr, wrong)
    silent = ask("ECHO", "print('Good morning')")
    expect(silent.returncode == 1 and 'its first line is "Good morning"' in silent.stderr, silent)
    broken = ask("ECHO", "raise SystemExit(3)")
    expect(broken.returncode == 1 and "it has ended" in broken.stderr, broken)


def fresh(*words, **environment):
    return [str(ROOT / "tests/fresh/fresh.sh"), *words], {**os.environ, **environment}


def fresh_knows_its_suites():
    command, environment = fresh("woody")
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    expect(ran.returncode == 2 and "there is no suite woody here; suites: bookworm trixie sid" in ran.stderr, ran)


def fresh_wants_to_know_what_to_soak():
    command, environment = fresh("trixie", "--soak")
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    expect(ran.returncode == 2 and "--soak what?" in ran.stderr, ran)


def fresh_leaves_nothing_behind(how, leaves_files=False):
    """A debootstrap that mounts something and never ends; and then the end of fresh."""
    with tempfile.TemporaryDirectory(prefix="five_fresh.") as directory:
        here = pathlib.Path(directory)
        mounted = here / "mounted"
        stub = here / "debootstrap"
        stub.write_text('#!/bin/sh\nfor root; do case $root in */bookworm) break ;; esac; done\nmkdir -p "$root"\n'
                        f'mount -t tmpfs tmpfs "$root" && echo $root > {mounted}.new && mv {mounted}.new {mounted}\n'
                        f'exec sleep 12345.{os.getpid()}\n')
        stub.chmod(0o755)
        command, environment = fresh("bookworm", PATH=f"{directory}:{os.environ['PATH']}", TMPDIR=directory)
        started = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            deadline = time.monotonic() + MOST_SECONDS
            while not mounted.exists():
                if started.poll() is not None:
                    if started.returncode == 77:
                        raise Skip(started.stderr.read().strip())
                    raise AssertionError(f"it ended with {started.returncode}: {started.stderr.read()}")
                expect(time.monotonic() < deadline, "waited for debootstrap to be started")
                time.sleep(0.05)
            started.send_signal(how)
            started.wait(MOST_SECONDS)
            while still_there := processes_with(f"12345.{os.getpid()}"):
                expect(time.monotonic() < deadline, "waited for the end of what it had started:", still_there)
                time.sleep(0.05)
            mounts = pathlib.Path("/proc/mounts").read_text()
            expect(mounted.read_text().strip() not in mounts, "it is still mounted:", mounts)
            left = list(here.glob("five_servers.fresh/*"))
            expect(leaves_files or not left, "it has left files:", left)
        finally:
            started.kill()
            started.wait()
            started.stderr.close()


def processes_with(word):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"sleep\0{word}\0" in entry.read_text(errors="replace"):
                found.append(entry)
        except OSError:
            pass
    return found


def fresh_leaves_nothing_when_told_to_end():
    fresh_leaves_nothing_behind(signal.SIGTERM)


def fresh_leaves_nothing_mounted_when_killed():
    fresh_leaves_nothing_behind(signal.SIGKILL, leaves_files=True)


if __name__ == "__main__":
    try:
        globals()[sys.argv[1]]()
    except Skip as reason:
        print(f"{sys.argv[1]}: Skipped\n{reason}")
        sys.exit(77)
