#!/usr/bin/env python3
"""One submission, graded where it can harm nobody: sandbox.py < SPECIFICATION > OUTCOME, both JSON; class.py starts it.

What keeps it in, each a wall of its own:

    its own user           where we are root; whatever it does, it may touch nothing of ours
    namespaces             where the system allows them: it sees its own processes only, a network that is the loopback
                           alone, a /tmp of its own in memory, and everything else read-only; homes and the other
                           submissions are not there at all
    limits of the kernel   CPU seconds and bytes of a file (setrlimit), tasks of the user
    a watchdog             tasks and memory of all its processes together, looked at some times a second
    an end for all         the first process of its namespace is ours, and when that ends, the kernel ends all others:
                           daemons, orphans, a fork bomb in the middle of its work. Without namespaces we are the
                           subreaper of all that it starts, and stop and kill until nothing is left.

The grader stands inside, beside the server, because it asks over the loopback and watches the server's processes.
"""

import ctypes
import fcntl
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NET = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 0x1

first_user = 64_100          # and most_users, nobody else's: each that is graded at the same time has one
most_users = 1000
watch_every = 0.2            # seconds
watch_share = 0.1            # of our time, at most, for looking
seconds_to_report = 10       # for the grader, after it was told to end
seconds_after_limit = 20     # of the grader's own time limit; then all of it is ended
kept_of_build_output = 4000  # bytes
most_report_bytes = 16 << 20
most_files = 20_000
most_sweeps = 2000
headroom = 1.25              # of the kernel's limit over the watchdog's bound, or a bomb that meets it is never noticed

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, kind=None, flags=0, options=""):
    check(libc.mount(os.fsencode(source), os.fsencode(target), kind.encode() if kind else None,
                     ctypes.c_ulong(flags), options.encode()), f"mount {target}")


def set_read_only(path, read_only, recursive):
    attributes = struct.pack("=QQQQ", MOUNT_ATTR_RDONLY if read_only else 0, 0 if read_only else MOUNT_ATTR_RDONLY, 0, 0)
    check(libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, os.fsencode(path), AT_RECURSIVE if recursive else 0, attributes,
                       ctypes.c_size_t(len(attributes))), f"mount_setattr {path}")


def die_with(parent):
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


# ---- namespaces -----------------------------------------------------------------------------------------------------

def enter_namespaces():
    """From here on our children are in a world of their own; the first of them is its process 1."""
    user, group = os.geteuid(), os.getegid()
    flags = NEW_MOUNTS | NEW_IPC | NEW_PIDS | NEW_NET
    if user == 0:
        check(libc.unshare(flags), "unshare")
        return
    check(libc.unshare(flags | NEW_USER), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        pathlib.Path("/proc/self", name).write_text(text)


def raise_loopback():
    set_flags, up = 0x8914, 0x1
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", up))


def make_world(place, spec, fill):
    """In the first process. `place` is an empty directory of ours; fill(DIRECTORY) puts there what the submission is to
    find in /tmp. Comes back where nothing but that can be written to."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV)
    raise_loopback()
    mount("world", place, "tmpfs", MS_NOSUID | MS_NODEV,
          f"size={spec['bounds']['files'] << 20},nr_inodes={most_files},mode=755")
    reach.descriptor = os.open(place, os.O_PATH)
    own = os.path.join(place, "tmp")
    os.mkdir(own)
    os.chmod(own, 0o1777)
    fill(own)
    seen = []
    for number, path in enumerate(spec["see"]):
        seen.append((os.path.join(place, f"see{number}"), path))
        os.mkdir(seen[-1][0])
        mount(path, seen[-1][0], flags=MS_BIND | MS_REC)
    writable = []
    for path in ("/tmp", "/var/tmp", "/dev/shm"):
        if os.path.isdir(path) and not os.path.islink(path):
            if path == "/tmp":
                mount(own, path, flags=MS_BIND)
            else:
                mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=16m,mode=1777")
            writable.append(path)
    hidden = [path for path in spec["hide"] if os.path.isdir(path)]
    for path in sorted(set(os.path.realpath(path) for path in hidden), key=len):
        if os.path.isdir(path) and path not in ("/", "/tmp"):
            mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    # `place` lies in the old /tmp, which nobody can name any more; but its mount is there still, and moves.
    for source, path in seen:
        os.makedirs(path, exist_ok=True)
        mount(reach(place, source), path, flags=MS_BIND | MS_REC)
    set_read_only("/", True, True)
    for path in writable:
        set_read_only(path, False, False)


def reach(place, path):
    """`path` below `place`, by a descriptor that was open before /tmp was covered."""
    return f"/proc/self/fd/{reach.descriptor}/{os.path.relpath(path, place)}"


# ---- looking --------------------------------------------------------------------------------------------------------

def status_of(pid):
    """(parent, tasks, KiB of memory that is nobody's file, state)"""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    memory = sum(int(fields.get(name, "0 kB").split()[0]) for name in ("RssAnon", "RssShmem", "VmSwap"))
    return int(fields["PPid"]), int(fields.get("Threads", "1")), memory, fields["State"].split()[0]


def all_below(root):
    """Of every process below `root`: {pid: (tasks, KiB, whether it has ended and waits to be reaped)}."""
    found, parents = {}, {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (status := status_of(name)):
            parents.setdefault(status[0], []).append(int(name))
            # The first thread of a process may be a zombie while others go on.
            found[int(name)] = (status[1], status[2], status[3] == "Z" and status[1] <= 1)
    below, waiting = {}, [root]
    while waiting:
        for child in parents.get(waiting.pop(), ()):
            below[child] = found[child]
            waiting.append(child)
    return below


def proportional_memory(pids):
    """KiB, where what several share counts once: forks share nearly everything."""
    total = 0
    for pid in pids:
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in text.splitlines()[1:])
        total += sum(int(fields.get(name, "0 kB").split()[0]) for name in ("Pss_Anon", "Pss_Shmem", "SwapPss"))
    return total


def broken_bound(below, bounds):
    tasks = sum(number for number, _, _ in below.values())
    if tasks >= bounds["processes"]:
        return "processes", f"{bounds['processes']} processes and threads at once, no more are allowed"
    if sum(memory for _, memory, _ in below.values()) > bounds["memory"] << 10:
        if proportional_memory(below) > bounds["memory"] << 10:
            return "memory", f"more than {bounds['memory']} MiB of memory"
    return None


def kill_all_below(root, but=()):
    """Stops them first: what is stopped forks no faster than we kill."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        known = -1
        for _ in range(most_sweeps):
            below = [pid for pid, (_, _, has_ended) in all_below(root).items() if not has_ended and pid not in but]
            for pid in below:
                try:
                    os.kill(pid, number)
                except OSError:
                    pass
            if number == signal.SIGSTOP and len(below) <= known or number == signal.SIGKILL and not below:
                break
            known = len(below)
            if number == signal.SIGKILL:
                reap(but)
                time.sleep(0.005)


def reap(but=()):
    """Waits for every child that has ended, but not for those that subprocess waits for."""
    while True:
        try:
            child = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if child is None or child.si_pid in but:
            return
        os.waitpid(child.si_pid, 0)


# ---- running --------------------------------------------------------------------------------------------------------

def prefix(spec):
    """What stands before a command of the submission's, and becomes it: limits, and a user that may do nothing."""
    bounds = spec["bounds"]
    tasks = int(bounds["processes"] * headroom) + spec["tasks_of_user"]
    allowed = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    if allowed != resource.RLIM_INFINITY:
        tasks = min(tasks, allowed)
    words = ["prlimit", "--core=0", f"--cpu={bounds['time']}", f"--fsize={bounds['files'] << 20}",
             f"--nproc={tasks}"]
    words += ["setpriv", "--no-new-privs"]
    if spec["user"] is not None:
        words += [f"--reuid={spec['user']}", f"--regid={spec['user']}", "--clear-groups", "--bounding-set=-all",
                  "--inh-caps=-all"]
    return words


def watched(spec, words, directory, environment, output_limit, seconds, polite):
    """Runs it, and looks: (exit code or None, output, bound that was broken or None). What is `polite` gets SIGTERM when a
    bound is broken, and a moment to report."""
    with os.fdopen(os.memfd_create("output"), "w+b") as output:
        child = subprocess.Popen(words, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT if not polite else subprocess.DEVNULL, start_new_session=True)
        deadline, broken = time.monotonic() + seconds, None
        pause = watch_every / 5  # the first look comes soon: what explodes explodes at once
        while child.poll() is None:
            time.sleep(pause)
            began = time.monotonic()
            below = all_below(os.getpid())
            below.pop(child.pid, None)
            if broken is None:
                broken = broken_bound(below, spec["bounds"])
                if broken and not polite:
                    break
                if broken:
                    child.terminate()
                    kill_all_below(os.getpid(), but=(child.pid,))
                    deadline = time.monotonic() + seconds_to_report
                elif os.fstat(output.fileno()).st_size > output_limit:
                    broken = "output", f"more than {output_limit >> 20} MiB of output"
                    break
            if time.monotonic() > deadline:
                broken = broken or ("time", f"not finished within {seconds} s")
                break
            if spec["is_first"]:
                reap(but=(child.pid,))
            pause = max(watch_every, (time.monotonic() - began) / watch_share)
        if child.poll() is None:
            child.kill()
        code = child.wait()
        output.seek(0)
        return code, output.read(min(output_limit, most_report_bytes)), broken


def environment(home):
    """What a submission needs to know of ours, and no more: no tokens."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
    return {**kept, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def copy(source, target, user):
    """With links as they are: one that points out of the submission shows nothing of ours."""
    shutil.copytree(source, target, symlinks=True, ignore_dangling_symlinks=True,
                    ignore=lambda directory, names: [name for name in names if not is_ordinary(directory, name)])
    run = os.path.join(target, "run")
    if os.path.isfile(run) and not os.path.islink(run):
        os.chmod(run, 0o755)  # which archives lose
    if user is not None:
        for directory, names, files in os.walk(target):
            for name in [directory, *(os.path.join(directory, each) for each in names + files)]:
                os.lchown(name, user, user)


def is_ordinary(directory, name):
    path = os.path.join(directory, name)
    return os.path.islink(path) or os.path.isdir(path) or os.path.isfile(path)


def grade(spec, place):
    """Copies, builds, grades: the outcome."""
    home, grader = os.path.join(place, "home"), os.path.join(place, "grade")
    if not spec["is_first"]:
        prepare(spec, place)
    own = os.path.join(place, "submission")
    outcome = {"build": None, "report": None, "broken": None, "grader": None}
    bounds = spec["bounds"]
    if spec["build"]:
        began = time.monotonic()
        code, output, broken = watched(spec, [*prefix(spec), *spec["build"]], own, environment(home),
                                       bounds["output"] << 20, bounds["time"], False)
        kill_all_below(os.getpid())
        outcome["build"] = {"code": code, "output": output[-kept_of_build_output:].decode(errors="replace"),
                            "seconds": time.monotonic() - began}
        if broken or code != 0:
            outcome["broken"] = broken
            return outcome
    words = [grader, *spec["grade"], "--", *prefix(spec), *spec["command"]]
    code, output, broken = watched(spec, words, own, environment(home), most_report_bytes,
                                   bounds["time"] + seconds_after_limit, True)
    outcome["broken"], outcome["grader"] = broken, code
    try:
        outcome["report"] = json.loads(output)
    except ValueError:
        outcome["report"] = None
    return outcome


def prepare(spec, place):
    """Fills what the submission will find as its /tmp."""
    os.makedirs(os.path.join(place, "home"))
    shutil.copy(spec["grader"], os.path.join(place, "grade"))
    os.chmod(os.path.join(place, "grade"), 0o755)
    copy(spec["submission"], os.path.join(place, "submission"), spec["user"])
    if spec["user"] is not None:
        os.chown(os.path.join(place, "home"), spec["user"], spec["user"])


def tasks_of_user():
    """Where the kernel counts a user's tasks on the whole machine, ours are among them."""
    return sum(status[1] for name in os.listdir("/proc") if name.isdigit()
               if os.stat(f"/proc/{name}").st_uid == os.geteuid() and (status := status_of(name)))


def in_namespaces(spec, place):
    """Forks the first process of a new world; its outcome comes by a pipe."""
    read_end, write_end = os.pipe()
    enter_namespaces()
    first = os.fork()
    if first == 0:
        os.close(read_end)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        try:
            spec["is_first"] = True
            make_world(place, spec, lambda own: prepare(spec, own))
            outcome = grade(spec, "/tmp")
        except (OSError, shutil.Error) as error:
            outcome = {"error": str(error)}
        with os.fdopen(write_end, "w") as pipe:
            json.dump(outcome, pipe)
        os._exit(0)  # and the kernel ends all the others
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        text = pipe.read()
    os.waitpid(first, 0)
    return json.loads(text) if text else {"error": "the first process of the sandbox has ended without a word"}


def take_user():
    """A user whom no other submission has, not in another class either, and what holds it until we have ended: its tasks are
    counted on the whole machine."""
    for user in range(first_user, first_user + most_users):
        held = socket.socket(socket.AF_UNIX)
        try:
            held.bind(f"\0five_servers_class_{user}")
            return user, held
        except OSError:
            held.close()
    sys.exit(f"all {most_users} users are graded already")


def main():
    die_with(int(os.environ.pop("FIVE_CLASS_PID", os.getppid())))
    spec = json.load(sys.stdin)
    spec["is_first"] = False
    spec["user"], _held = take_user() if os.geteuid() == 0 else (None, None)
    spec["tasks_of_user"] = tasks_of_user() if spec["user"] is None else 0
    pathlib.Path("/proc/self/oom_score_adj").write_text("500")  # should memory run out all the same: others last
    try:
        if spec["namespaces"]:
            outcome = in_namespaces(spec, spec["place"])
        else:
            libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
            os.chmod(spec["place"], 0o755)
            outcome = grade(spec, spec["place"])
            kill_all_below(os.getpid())
    except (OSError, shutil.Error) as error:
        outcome = {"error": str(error)}
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    main()
