"""A recording of the observer as one page that needs no server: page.html, and in it the pictures of each moment."""

import json
import re
import subprocess
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "common/observer/page.html"
PATIENCE = 60
STEP = 100_000  # microseconds: no two pictures are nearer
TICK = 500_000  # and where nothing happens, they are as far apart: who has gone fades


def html(observer, recording):
    """The page, as text. `observer` is the program, which alone knows what a story means."""
    return page_with(pictures(observer, recording))


def page_with(all_pictures):
    page = PAGE.read_text(encoding="utf-8").replace(' nonce="@NONCE@"', "")
    kept = json.dumps(changes(all_pictures), ensure_ascii=False, separators=(",", ":"))
    # Data, whatever stands in it: nothing ends the element before its time.
    element = f'<script id="recording" type="application/json">{kept.replace("<", chr(92) + "u003c")}</script>\n'
    return page.replace("<script>", element + "<script>", 1)


def pictures(observer, recording):
    """[(microseconds from its beginning, picture), …]"""
    program = subprocess.Popen([observer, "--port", "0", recording], stdout=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r":(\d+)/", program.stdout.readline())[1])
        connection = HTTPConnection("127.0.0.1", port, PATIENCE)

        def picture(at):
            connection.request("GET", f"/picture?at={at}")
            return json.loads(connection.getresponse().read())

        length = picture(0)["server"]["recording"]["length"]
        return [(at, picture(at)) for at in moments(recording, length)]
    finally:
        program.terminate()
        program.wait(PATIENCE)
        program.stdout.close()


def moments(recording, length):
    """Those in which something happens, just after it, and those that lie between."""
    times = [moment(line) for line in Path(recording).read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    begin = min(time for time in times if time)
    after = {-(-(time - begin) // STEP) * STEP for time in times if time}
    return sorted(at for at in after | set(range(0, length, TICK)) | {length} if at <= length)


def moment(line):
    """Microseconds since 1970."""
    told = datetime.fromisoformat(json.loads(line)["time"].replace("Z", "+00:00"))
    return int(told.timestamp()) * 1_000_000 + told.microsecond


# ---- what has changed from one picture to the next: page.html's changed() undoes it ----------------------------------------


def changes(all_pictures):
    last, kept = None, []
    for at, picture in all_pictures:
        kept.append([at, change(last, picture)])
        last = picture
    return kept


def change(old, new):
    whole = [0, new]
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        part = [1, {key: change(old[key], new[key]) for key in new if old[key] != new[key]}]
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        dropped = old.index(new[0]) if new[0] in old else 0
        stay = min(len(old) - dropped, len(new))
        part = [2, dropped, stay, new[stay:],
                {place: change(old[dropped + place], new[place]) for place in range(stay) if old[dropped + place] != new[place]}]
    else:
        return whole
    return min(part, whole, key=lambda each: len(json.dumps(each)))
