#!/usr/bin/env python3
"""The observer's page in a real browser: each view shows what happens in the tutorial's experiments, soon.

    page_test.py PROGRAMS [--pictures FOLDER] [PART…]    PROGRAMS: where the programs are; FOLDER: keep a picture of each stage
                                                         PART: a stage, or `recordings`: those of docs/observer

Ends with 77, and says why, where there is no browser.
"""

import argparse
import json
import os
import queue
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import unquote
from urllib.request import urlopen

sys.dont_write_bytecode = True  # the directory of the sources stays as it is

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs/site"))

import recording  # noqa: E402
from browser import Browser, NoBrowser  # noqa: E402

SKIPPED = 77
FACTOR = float(os.environ.get("FIVE_TIME_FACTOR", "1"))
PATIENCE = 20 * FACTOR  # for what must come about at all
PROMISED = 0.5  # how late the page may be, in seconds
BEARABLE = 2  # what the test bears of it, as the median: other tests run at the same time
ROOT = Path(__file__).resolve().parents[2]
VIEWS = ("door", "acceptors", "clients", "processes", "tree", "restarts", "rates", "heartbeats", "rooms", "story")


class Observed:
    """A stage below the observer, and its page in the browser."""

    def __init__(self, programs, browser, stage, *options):
        self.browser = browser
        command = [programs / "observer", "--port", "0", "--", programs / stage, "--port", "0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.address = self.line(r"Observing on (\S+)")
        self.port = int(self.line(r"Listening on \S+:(\d+)"))
        self.clients = []
        self.late = []
        browser.open(self.address)
        browser.wait("document.documentElement.dataset.pictures > 0")

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def line(self, pattern):
        until = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.lines.get(timeout=max(0.01, until - time.monotonic())))
            if found:
                return found[1]

    def client(self, *said):
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.clients.append(client)
        for line in said:
            self.say(client, line)
        return client

    @staticmethod
    def say(client, line):
        client.sendall(line.encode() + b"\r\n")
        client.recv(4096)

    @staticmethod
    def name(client):
        return "%s:%d" % client.getsockname()[:2]

    def shows(self, view, text):
        """Waits until the view's text matches."""
        expression = f"new RegExp({js(text)}, 's').test(document.getElementById({js(view)}).innerText)"
        try:
            return self.browser.wait(expression, PATIENCE)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{view} shows: {self.text(view)}") from None

    def soon(self, view, text):
        """The same for what has just happened: how late the page is, is counted."""
        self.late.append(self.shows(view, text))

    def text(self, view):
        return self.browser.value(f"document.getElementById({js(view)}).innerText")

    def end(self, status):
        for client in self.clients:
            client.close()
        self.process.send_signal(signal.SIGINT)
        errors = self.process.communicate(timeout=PATIENCE)[1]
        assert self.process.returncode == status, f"exit {self.process.returncode}, not {status}: {errors}"


def js(text):
    return json.dumps(text)


NASTY = "<img src=x onerror=alert(1)></script><b>"


def stage_01(start):
    """One is served, four wait; what a client types is text; who reloads sees all of it again."""
    observed = start("01_naive")
    observed.shows("story", "server waits for client")
    served = observed.client("hello")
    observed.shows("clients", "1 now.*hello")
    others = [observed.client() for _ in range(4)]
    for other in others:
        other.sendall(b"me too\r\n")
    observed.soon("door", r"4 wait.*8 bytes unread.*32 bytes of those who wait")
    observed.shows("door", re.escape(observed.name(others[3])))
    observed.shows("acceptors", "0 of 1 wait.*works on " + re.escape(observed.name(served)))
    observed.shows("processes", "1 process, 1 thread.*MiB")
    observed.say(served, NASTY)
    observed.soon("clients", re.escape(NASTY))
    observed.shows("story", re.escape(NASTY))
    assert observed.browser.value("document.querySelectorAll('img, main b b').length") == 0
    observed.browser.reload()
    observed.shows("story", "server started.*" + re.escape(NASTY))
    observed.shows("door", "4 wait")
    views_are_whole(observed)
    keyboard_is_enough(observed.browser)
    served.close()
    observed.soon("door", "3 wait")
    observed.shows("clients", re.escape(observed.name(others[0])))
    return observed, 128 + signal.SIGINT  # 01 dies by the signal: that is its lesson


def views_are_whole(observed):
    """Ten views, each with a name, a sentence, and a link to a heading of the tutorial."""
    browser = observed.browser
    views = browser.value("[...document.querySelectorAll('main section')].map((view) => [view.id, view.getAttribute('aria-labelledby'),"
                          "view.querySelector('.sentence').textContent, view.querySelector('.why a').getAttribute('href')])")
    assert sorted(view[0] for view in views) == sorted(VIEWS), views
    for view, label, sentence, link in views:
        assert browser.value(f"document.getElementById({js(label)}).textContent"), view
        assert sentence.strip().endswith("."), view
        page, _, heading = link.partition("#:~:text=")
        with urlopen(observed.address.rstrip("/") + page) as answer:
            headings = answer.read().decode().splitlines()
        assert unquote(heading) in headings, f"{view}: {link}"
    big = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    small = browser.value(big)
    browser.open(observed.address + "?big")
    assert browser.value(big) > 1.3 * small
    browser.open(observed.address)
    browser.wait("document.documentElement.dataset.pictures > 0")


def keyboard_is_enough(browser):
    """Whoever has no mouse comes to the filter with Tab, and ticks it."""
    for _ in range(60):
        browser.press("Tab", 9)
        if browser.value("document.activeElement.id") == "only-failed":
            break
    assert browser.value("document.activeElement.id") == "only-failed"
    assert browser.value("getComputedStyle(document.activeElement).outlineStyle") != "none", "nobody sees where they are"
    browser.press(" ", 32, " ")
    browser.wait("document.getElementById('story').innerText.includes('Nothing has failed')")
    browser.press(" ", 32, " ")


def stage_02(start):
    """A thread for each client."""
    observed = start("02_thread_per_client", "--faults")
    clients = [observed.client("hello") for _ in range(5)]
    observed.shows("processes", "1 process, 7 threads.*client 5")
    observed.shows("clients", "5 now")
    observed.shows("door", "nobody waits")
    clients[0].close()
    observed.shows("clients", "just gone.*gone: the client has closed")
    observed.say(clients[1], "!throw")
    observed.soon("clients", "crashed: !throw")
    observed.shows("said", "handler 2 crashed: !throw")  # for whoever does not see it
    observed.browser.value("document.getElementById('only-failed').click()")
    observed.shows("story", "handler 2 crashed: !throw")
    assert "waits for data" not in observed.text("lines")
    return observed, 0


def stage_03(start):
    """Acceptors that are busy, packets, and the end of all."""
    observed = start("03_acceptor_pool", "--faults", "--acceptors", "3", "--setup-ms", "600", "--threads", "2")
    observed.shows("acceptors", "3 of 3 wait")
    client = observed.client()
    observed.shows("acceptors", "2 of 3 wait.*works on " + re.escape(observed.name(client)))
    others = [observed.client() for _ in range(2)]
    observed.shows("clients", "3 now")
    for _ in range(50):
        observed.say(client, "hello")
    observed.shows("rates", r"[1-9]\d+ a second")  # at its highest
    observed.shows("processes", "loop 2")
    observed.say(client, "!segv")
    observed.soon("state", "gone: ended by signal SEGV, and 3 clients with it")
    observed.shows("clients", "who was there.*went with the server: by signal SEGV")
    for each in (client, *others):
        observed.shows("clients", re.escape(observed.name(each)))
    observed.shows("door", "The server has gone")
    return observed, 128 + signal.SIGSEGV


def stage_04(start):
    """Workers die, hang, come back, and at last there is no supervisor any more."""
    observed = start("04_supervised", "--faults", "--workers", "2", "--max-restarts", "2", "--watchdog-ms", "1000", "--acceptors", "2")
    observed.shows("tree", r"root.*worker-1.*sessions.*acceptors.*acceptor-1.*worker-2")
    observed.shows("heartbeats", r"all answer.*worker-1.*worker-2")
    observed.shows("restarts", "0 of 2.*0 within 5 s, 2 allowed")
    observed.say(observed.client("hello"), "!segv")
    observed.soon("tree", r"1 restart.*last end: SIGSEGV")
    observed.shows("restarts", "1 of 2.*1 within 5 s, 2 allowed")
    observed.shows("clients", r"went with worker-\d: SIGSEGV")
    observed.client().sendall(b"!spin\r\n")
    observed.shows("heartbeats", "1 late")
    observed.shows("tree", "no heartbeat within 1000 ms")
    for _ in range(6):
        try:
            observed.client().sendall(b"!segv\r\n")
        except ConnectionError:
            break
        time.sleep(0.2)  # or the new worker, which does not accept yet, gets no share of them
    observed.shows("tree", "has given up: 3 restarts within 5 s, 2 allowed")
    observed.shows("restarts", "3 of 2.*gave up")
    observed.shows("state", "gone: ended with exit status 1")
    observed.shows("said", "ended with exit status 1")
    return observed, 1


def stage_05(start):
    """Who is in which room."""
    observed = start("05_chat", "--rate", "0")
    michael, mikey = observed.client("Michael"), observed.client("Mikey")
    observed.shows("rooms", "2 people.*Michael.*Mikey")
    observed.say(michael, NASTY)
    observed.soon("rooms", "Michael: " + re.escape(NASTY))
    assert observed.browser.value("document.querySelectorAll('img').length") == 0
    mikey.close()
    observed.soon("rooms", "1 person")
    many_nodes(observed.browser)
    nobody_looks(observed.browser)
    return observed, 0


def many_nodes(browser):
    """What one node does not bring about: a picture that says so is drawn."""
    rooms = {
        "shown": [{"name": "lobby", "now": 2, "left_out": 0, "lines": [], "people": [
            {"name": "Ann", "via": "worker 1 handler 2", "node": "two-1", "since": 0, "behind": 70000},
            {"name": "Zoe", "via": "", "node": "", "since": 0, "behind": 0}]}],
        "left_out": 0,
        "nodes": [{"name": "two-1", "state": "lives", "people": 1, "revision": 40, "waiting": 3, "lease": 9, "silent_ms": 1500},
                  {"name": "two-2", "state": "is thought dead", "people": 0, "revision": 38, "waiting": 0, "lease": 0, "silent_ms": 0}],
        "links": [{"who": "link 1", "node": "127.0.0.1:1235", "peer": "127.0.0.1:7", "since": 0, "people": 4, "behind": 500000, "behind_most": 1048576}],
        "elsewhere": {"room": "chatroom@room1", "up": False, "reason": "closed", "since": 0},
    }
    shown = browser.value(f"(draw({{...picture, rooms: {js(rooms)}, server: {{...picture.server, lag: {{process: 1, ms: 120, at: picture.server.now}}}}}}),"
                          "[document.getElementById('rooms').innerText, document.getElementById('processes').innerText])")
    for text in ("2 people in 1 room", "at two-1", "68 KiB behind", "at another node", "is thought dead", "38 (2 behind)", "1.5\u00a0s",
                 "4 people", "488 KiB of 1024 KiB behind", "chatroom@room1, at another node: it is DOWN (closed)"):
        assert text in shown[0], f"not {text}: {shown[0]}"
    assert "An event loop of worker 1 came back 120 ms late" in shown[1], shown[1]
    assert not browser.errors, browser.errors


def nobody_looks(browser):
    """A page behind another one asks for nothing, until somebody looks again."""
    see = ("Object.defineProperty(document, 'hidden', {value: %s, configurable: true}); document.dispatchEvent(new Event('visibilitychange')); "
           "[events === null, Number(document.documentElement.dataset.pictures)]")
    is_asleep, pictures = browser.value(see % "true")
    assert is_asleep
    is_asleep, again = browser.value(see % "false")
    assert not is_asleep and again == pictures
    browser.wait(f"document.documentElement.dataset.pictures > {pictures}")


def stage_05_workers(start):
    """Who is in which process; one dies, and its people leave; the others have noticed nothing."""
    if not shutil.which("etcd"):
        print("05_workers is left out: no etcd here: apt-get install etcd-server")
        return None, 0
    etcd = subprocess.Popen([sys.executable, ROOT / "docs/etcd/members.py"], stdout=subprocess.PIPE, text=True)
    try:
        where = re.match(r"Use: --etcd (\S+)", etcd.stdout.readline())[1]
        observed = start("05_chat", "--engine", "etcd", "--etcd", where, "--workers", "2", "--faults", "--rate", "0")
        observed.shows("tree", "worker-1.*rooms.*worker-2.*rooms")
        for _ in range(2):
            observed.line("(acceptor) waits for client")
        processes, names = {}, (f"person{number:02}" for number in range(60))
        while len(processes) < 2:  # the kernel chooses
            name = next(names)
            client = observed.client(name)
            processes.setdefault(observed.line(rf"worker (\d) handler \d+ has {name} in the room"), []).append((name, client))
        observed.shows("clients", "in worker 1.*in worker 2")
        observed.shows("rooms", ".*".join(sorted(name for all_of_it in processes.values() for name, _ in all_of_it)))
        (dies, its), (_, others) = processes.items()
        its[0][1].sendall(b"!segv\r\n")
        observed.soon("clients", f"just gone.*went with worker-{dies}: SIGSEGV")
        observed.shows("tree", "1 restart")
        here = observed.browser.value("[...document.querySelectorAll('#rooms .person b')].map((name) => name.textContent)")
        assert sorted(here) == sorted(name for name, _ in others), here
        others[0][1].sendall(b"still here\r\n")
        observed.shows("rooms", f"{others[0][0]}: still here")
        observed.end(0)
        return observed, None
    finally:
        etcd.send_signal(signal.SIGINT)
        etcd.wait(PATIENCE)


def check(programs, browser, stage, pictures):
    play = globals()["stage_" + stage]
    started = []

    def start(*command):
        started.append(Observed(programs, browser, *command))
        return started[0]

    try:
        observed, status = play(start)
        if observed is None:
            return []
        if pictures:
            browser.picture(pictures / f"{stage}.png")
        assert not browser.errors, browser.errors
        if status is not None:
            observed.end(status)
            browser.wait("!document.getElementById('notice').hidden")  # it says that there is no observer any more
            browser.errors.clear()  # and the browser, that it cannot reach it
        return observed.late
    finally:
        for each in started:
            each.process.kill()


# ---- recordings --------------------------------------------------------------------------------------------------------

# In this order, at some moments of each, the view shows this: what docs/observer/README.md tells people to look at.
SHOWN = {
    "01_four_wait": [("door", r"4 wait.*18 bytes unread"), ("clients", "is anybody there")],
    "02_a_thread_each": [("processes", "1 process, 23 threads.*client 7"), ("clients", "crashed: !throw")],
    "03_one_acceptor": [("acceptors", r"0 of 1 wait.*works on"), ("door", r"[67] wait"), ("narration", r"after 8\.\d seconds")],
    "03_eight_acceptors": [("acceptors", "0 of 8 wait"), ("narration", r"after 1\.\d seconds")],
    "03_a_loop_that_spins": [("door", r"9 bytes unread.*1 of them is served by nobody"), ("processes", r"loop 2\n?runs · \d\d+ % CPU")],
    "03_everybody_goes": [("state", "ended by signal SEGV, and 5 clients with it"), ("clients", "who was there")],
    "04_crash_and_hang": [("door", "1 waits"), ("heartbeats", "1 late"), ("tree", "no heartbeat within 2000 ms")],
    "04_giving_up": [("restarts", "0 of 3"), ("restarts", "3 of 3"), ("restarts", "4 of 3.*gave up")],
    "05_who_does_not_read": [("rooms", r"3 people.*Mute[^A-Z]*[2-9]\d\d\d KiB behind"), ("clients", "Mute.*it reads too slowly")],
    "05_workers": [("rooms", r"\d people"), ("clients", "in worker 1.*in worker 2"), ("clients", r"went with worker-\d: SIGSEGV"), ("tree", r"^(?!.*\nchat).*1 restart.*worker-1.*rooms.*worker-2.*rooms")],
}
KEPT = """(async () => {
  const picture = keptPictures(JSON.parse(document.getElementById('recording').textContent)), all = [];
  for (const at of %s) all.push(await picture(at));
  return all;
})()"""
SEEK = """(async () => {
  const slider = document.getElementById('slider'), wanted = new RegExp(%s, 's'), view = document.getElementById(%s);
  for (let at = %d; at < Number(slider.max) + 400000; at += 400000) {
    slider.value = at;
    slider.dispatchEvent(new Event('input'));
    await new Promise((done) => setTimeout(done, 0));
    if (wanted.test(view.innerText)) return at;
  }
  return null;
})()"""


def check_recordings(programs, browser):
    """Each that comes along plays: all of it is understood, and the page of the site shows it without any server."""
    files = sorted((ROOT / "docs/observer").glob("*.jsonl"))
    assert {file.stem for file in files} == set(SHOWN), files
    from_observer(programs, browser, ROOT / "docs/observer/03_everybody_goes.jsonl")
    with tempfile.TemporaryDirectory(prefix="five_site.") as folder:
        for file in files:
            assert file.stat().st_size < 100_000, f"{file.name}: too large"
            html = Path(folder) / f"{file.stem}.html"
            pictures = recording.pictures(programs / "observer", file)
            html.write_text(recording.page_with(pictures), encoding="utf-8")
            browser.open(html.as_uri())
            browser.wait("document.documentElement.dataset.pictures > 0")
            some = pictures[::20] + pictures[-1:]
            shown = browser.value(KEPT % [at for at, _ in some])
            assert shown == [as_browser(picture) for _, picture in some], f"{file.name}: the site's page has other pictures"
            at = 0
            for view, pattern in SHOWN[file.stem]:
                at = browser.value(SEEK % (js(pattern), js(view), at))
                assert at is not None, f"{file.name}: {view} never shows {pattern}, in the end: " + browser.value(f"document.getElementById({js(view)}).innerText")
            facts = browser.value("document.getElementById('facts').textContent")
            assert "not understood" not in facts and "left out" not in facts, f"{file.name}: {facts}"
            if file.stem == "01_four_wait":
                step_stops_where_somebody_acts(browser)
            assert not browser.errors, f"{file.name}: {browser.errors}"
        slider_obeys_keys(browser)
        links = browser.value("[...document.querySelectorAll('.why a')].map((link) => link.getAttribute('href'))")
        for link in links:
            name, _, anchor = link.removeprefix("../").partition(".html#")
            assert anchor in headings(name), f"{link} leads nowhere in the site"


def as_browser(picture):
    """A browser's numbers are doubles: the id of a lease is too long for one."""
    return json.loads(json.dumps(picture), parse_int=lambda digits: int(float(digits)))


def headings(page):
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"(?m)^#+ (.*)$", text)]


def from_observer(programs, browser, file):
    """`observer FILE`: the same page, which asks for each moment."""
    observer = subprocess.Popen([programs / "observer", "--port", "0", file], stdout=subprocess.PIPE, text=True)
    try:
        browser.open(re.search(r"http\S+", observer.stdout.readline())[0])
        browser.wait("!document.getElementById('replay').hidden && document.documentElement.dataset.pictures > 0")
        browser.value("document.getElementById('slider').focus()")
        browser.press("End", 35)
        browser.wait("document.getElementById('state').innerText.includes('ended by signal SEGV, and 5 clients with it')")
        browser.press("Home", 36)
        browser.wait("document.getElementById('clients').innerText.includes('Nobody is here')")
        assert not browser.errors, browser.errors
    finally:
        observer.terminate()
        observer.wait(PATIENCE)
        observer.stdout.close()


def step_stops_where_somebody_acts(browser):
    browser.value("document.getElementById('slider').value = 0; document.getElementById('slider').dispatchEvent(new Event('input'))")
    browser.value("document.getElementById('speed').value = '16'; document.getElementById('step').click()")
    browser.wait("document.getElementById('narration').innerText.startsWith('Ann connects') && document.getElementById('play').innerText === 'Play'")
    assert browser.value("document.getElementById('clients').innerText.includes('Nobody is here')"), "it has happened already"
    browser.value("document.getElementById('step').click()")
    browser.wait("document.getElementById('narration').innerText.startsWith('Ann says')")
    assert browser.value("document.getElementById('clients').innerText.includes('0 packets')")
    browser.value("document.getElementById('back').click()")
    browser.wait("document.getElementById('narration').innerText.startsWith('Ann connects')")


def slider_obeys_keys(browser):
    browser.value("document.getElementById('slider').focus()")
    browser.press("Home", 36)
    browser.wait("document.getElementById('moment').textContent.startsWith('0.0 s')")
    browser.press("ArrowRight", 39)
    browser.wait("document.getElementById('moment').textContent.startsWith('0.1 s')")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("parts", nargs="*", default=["01", "02", "03", "04", "05", "05_workers", "recordings"])
    options = parser.parse_args()
    programs = options.programs.resolve()
    late = []
    try:
        with Browser(deadline=PATIENCE * 3, dark=options.dark) as browser:
            for part in options.parts:
                began = time.monotonic()
                waits = check_recordings(programs, browser) if part == "recordings" else check(programs, browser, part, options.pictures)
                late += waits or []
                print(f"{part}: {time.monotonic() - began:.1f} s" + (f", late by {', '.join(f'{wait:.2f}' for wait in waits)} s" if waits else ""), flush=True)
    except NoBrowser as missing:
        print(f"Skipped: {missing}")
        return SKIPPED
    if not late:
        return 0
    median = statistics.median(late)
    print(f"the page is {median:.2f} s late, and {max(late):.2f} s at worst; promised are {PROMISED} s")
    return 0 if median <= BEARABLE * FACTOR else 1


if __name__ == "__main__":
    sys.exit(main())
