#!/usr/bin/python3
"""./lab learn: a chapter of the tutorial, with somebody at the keyboard. It shows the page that the tests replay, opens
the windows that it names, waits for what is typed there, and says what came. learn.py [CHAPTER] [--programs DIRECTORY]"""

import argparse
import fcntl
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True  # the directory of the sources stays as it is
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/tutorial"))

from progress import Progress  # noqa: E402

END_SECONDS = 5  # that the lesson may take to put its windows away


def arguments():
    parser = argparse.ArgumentParser(prog="./lab learn", description="A chapter of the tutorial, guided, in this terminal.")
    parser.add_argument("chapter", nargs="?", help="1, 02, chat, …: by default the next one")
    parser.add_argument("--again", action="store_true", help="from the chapter's beginning")
    parser.add_argument("--list", action="store_true", help="only say which chapters there are, and how far you are")
    parser.add_argument("--programs", type=Path, default=ROOT / "build/bin", help=argparse.SUPPRESS)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # the half that runs in tmux
    return parser.parse_args()


def wrong_usage(text):
    print(f"learn: {text}", file=sys.stderr)
    sys.exit(2)


# ---- chapters -------------------------------------------------------------------------------------------------------


def chapters():
    return {path.stem: path for path in sorted((ROOT / "docs").glob("[0-9][0-9]_*.md"))}


def find(beginning):
    found = beginning.zfill(2) if beginning.isdigit() else beginning
    names = [name for name in chapters() if name == found or name.startswith(found) or name[3:].startswith(found)]
    if not names:
        wrong_usage(f"there is no chapter {beginning}; there are: {' '.join(chapters())}")
    return names[0]


def next_chapter(progress):
    unfinished = [name for name in chapters() if progress.state(name) != "done"]
    begun = [name for name in unfinished if progress.state(name)]
    return (begun + unfinished + list(chapters()))[0]


def title(path):
    with open(path, encoding="utf-8") as page:
        return page.readline().lstrip("# ").strip()


def show_list(progress):
    for name, path in chapters().items():
        print(f"  {name:22} {title(path):38} {progress.state(name)}".rstrip())
    print(f"\nNext: ./lab learn {next_chapter(progress)}")


# ---- outside: the terminal, and the order when all is over ------------------------------------------------------------


def outside(options):
    progress = Progress()
    if options.list:
        show_list(progress)
        return 0
    chapter = find(options.chapter) if options.chapter else next_chapter(progress)
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        wrong_usage("this is for somebody at a terminal; ./lab learn --list works without")
    if not shutil.which("tmux"):
        wrong_usage("no tmux here, which shows the windows of a lesson; install the package tmux")
    if options.again:
        progress.put(chapter, at=None)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))
    place = Path(tempfile.mkdtemp(prefix="five-learn-"))
    holding = hold(place)
    try:
        why = attach(place, chapter, options)
    finally:
        clean_up(place)
        holding.close()
    if why:
        print(why, file=sys.stderr)
        return 1
    farewell(chapter)
    return 0


def hold(place):
    """Says, as long as this process lives, that there is somebody to clean up. Nothing where another one does."""
    lock = open(place / "lock", "w", encoding="utf-8")  # pylint: disable=consider-using-with
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    except OSError:
        lock.close()
        return None


def attach(place, chapter, options):
    """Runs the lesson in a tmux of its own. Returns what went wrong, if anything has."""
    from windows import CONFIGURATION, Tmux  # pylint: disable=import-outside-toplevel
    (place / "tmux.conf").write_text(CONFIGURATION, encoding="utf-8")
    tmux = Tmux(place / "tmux")
    size = os.get_terminal_size()
    inside = [sys.executable, __file__, chapter, "--programs", str(options.programs.resolve()), "--inside", str(place)]
    environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")}
    environment["TMPDIR"] = str(place)
    begun = subprocess.run(["tmux", "-f", place / "tmux.conf", *tmux.command("new-session", "-d", "-n", "text", "-x", size.columns,
                                                                            "-y", size.lines, shlex.join(inside))[1:]],
                           env=environment, capture_output=True, text=True, check=False)
    if begun.returncode != 0:
        return f"learn: tmux does not begin: {begun.stderr.strip()}"
    shown = subprocess.run(tmux.command("attach-session"), env=environment, stdout=None, stderr=subprocess.PIPE, text=True,
                           check=False)
    told = place / "why"
    if told.exists():
        return told.read_text(encoding="utf-8")
    # The lesson may have ended before we came to look at it.
    return "" if shown.returncode == 0 or (place / "ended").exists() else f"learn: {shown.stderr.strip()}"


def notes(place):
    try:
        lines = (place / "notes").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def clean_up(place):
    """Whatever the lesson has left: it puts things away itself, unless it was killed."""
    from windows import Tmux, end_session, ended  # pylint: disable=import-outside-toplevel
    said = notes(place)
    for note in said:
        if "lesson" in note:
            try:
                os.kill(note["lesson"], signal.SIGTERM)
            except ProcessLookupError:
                continue
            ended(note["lesson"], END_SECONDS)
    for note in said:
        if "session" in note:
            end_session(note["session"])
        if "epmd" in note and shutil.which("epmd"):
            subprocess.run(["epmd", "-port", note["epmd"], "-kill"], capture_output=True, check=False)
    Tmux(place / "tmux")("kill-server")
    shutil.rmtree(place, ignore_errors=True)


def farewell(chapter):
    progress = Progress()
    state = progress.state(chapter)
    if state == "done":
        print(f"{chapter}: done. Next: ./lab learn {next_chapter(progress)}")
    else:
        print(f"{chapter}: you are {state}. ./lab learn {chapter} goes on there; --again begins anew.")


# ---- inside: the text, and the windows beside it ------------------------------------------------------------------------


def inside(options):
    import page as pages  # pylint: disable=import-outside-toplevel
    from guide import Console, Guide, Leave  # pylint: disable=import-outside-toplevel
    from pieces import pieces_of  # pylint: disable=import-outside-toplevel
    from replay import missing_programs  # pylint: disable=import-outside-toplevel
    from terminal import Workbench  # pylint: disable=import-outside-toplevel
    from windows import Tmux, Windows  # pylint: disable=import-outside-toplevel
    place, chapter = options.inside, options.chapter

    def note(**fact):
        with open(place / "notes", "a", encoding="utf-8") as file:
            file.write(json.dumps(fact) + "\n")

    def leave(*_):
        raise Leave

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C belongs to the windows
    note(lesson=os.getpid())
    bench = windows = console = None
    try:
        page = pages.read(chapters()[chapter], ROOT)
        missing = missing_programs(page)
        if missing:
            (place / "why").write_text(f"learn: {chapter} needs {', '.join(missing)}, which this machine lacks; "
                                       "./lab test installs all that the pages use\n", encoding="utf-8")
            return
        bench = Workbench(ROOT, options.programs, page.ports, as_shown=True)
        note(epmd=bench.epmd_port)
        windows = Windows(bench, Tmux(place / "tmux"), os.environ["TMUX_PANE"], note)
        windows.bind_keys()
        windows.tmux("select-pane", "-t", windows.guide, "-T", chapter)
        console = Console(windows.text_columns())
        tell_ports(console, bench)
        Guide(chapter, pieces_of(page), bench, windows, console, Progress()).go()
    except Leave:
        pass
    except pages.PageError as error:
        (place / "why").write_text(f"learn: {error}\n", encoding="utf-8")
    except Exception as error:  # pylint: disable=broad-except
        (place / "why").write_text(f"learn: a mistake of the guide: {error!r}\n", encoding="utf-8")
        raise
    finally:
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if windows:
            windows.close()
        if console:
            console.close()
        if bench:
            bench.remove()
        (place / "ended").touch()
        if hold(place):  # whoever has started us was killed, and cannot clean up
            shutil.rmtree(place, ignore_errors=True)


def tell_ports(console, bench):
    for shown, real in bench.ports.items():
        if shown != real:
            console.tell(f"Port {shown} is taken on this computer. Wherever the page has {shown}, read {real}: so do we.")


def main():
    options = arguments()
    if options.inside:
        return inside(options)
    return outside(options)


if __name__ == "__main__":
    sys.exit(main())
