#!/usr/bin/python3
"""Takes the pictures beside it from the observer's real page: moments of the recordings, as a browser shows them.

    pictures.py [--programs build/bin] [NAME…]
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True  # the directory of the sources stays as it is
sys.path[:0] = [str(ROOT / "docs/site"), str(ROOT / "tests/observer")]

import recording  # noqa: E402
from browser import Browser  # noqa: E402

# Name: recording, the moment (from when on this view shows this), what is in the picture, its width and its scale.
PICTURES = {
    "door": ("01_four_wait", ("door", "36 bytes of those"), ["door", "acceptors", "clients"], 620, 1.25),
    "threads": ("02_a_thread_each", ("processes", "23 threads"), ["processes"], 620, 1.25),
    "gone": ("03_everybody_goes", ("narration", "everybody with it"), ["header", "clients"], 900, 1.25),
    "crash": ("04_crash_and_hang", ("clients", "went with worker"), ["clients", "tree"], 1000, 1.25),
    "window": ("04_giving_up", ("restarts", "gave up"), ["restarts"], 620, 1.25),
    "rooms": ("05_who_does_not_read", ("rooms", r"[2-9]\d\d\d KiB behind"), ["rooms"], 620, 1.25),
    "page": ("04_crash_and_hang", ("tree", "no heartbeat"), ["page"], 1200, 1),
}
SHOW = """(async () => {
  const slider = document.getElementById('slider'), wanted = new RegExp(%s, 's'), view = document.getElementById(%s);
  let left = 3; // moments after it, so that other views, which are looked at less often, know it too
  for (let at = 0; at < Number(slider.max) + 100000; at += 100000) {
    slider.value = at;
    slider.dispatchEvent(new Event('input'));
    await new Promise((done) => setTimeout(done, 0));
    if (wanted.test(view.innerText) && --left === 0) return true;
  }
  return left < 3;
})()"""
# The views that are wanted, and nothing else, on a page as small as they are.
ALONE = """(() => {
  const wanted = %s;
  document.querySelector('header').style.position = 'static';
  document.querySelector('#names').remove();
  document.querySelector('#replay').remove();
  if (wanted.includes('page')) {
    for (const id of ['story', 'rooms']) document.getElementById(id).remove();
    return;
  }
  if (!wanted.includes('header')) document.querySelector('header').hidden = true;
  for (const view of document.querySelectorAll('section')) if (!wanted.includes(view.id)) view.remove();
  for (const column of document.querySelectorAll('.column')) if (!column.children.length) column.remove();
  const columns = document.querySelectorAll('.column').length;
  document.querySelector('main').style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  document.body.style.paddingBottom = '1rem';
})()"""


def take(browser, observer, name, folder):
    kept, (view, pattern), wanted, width, scale = PICTURES[name]
    html = Path(folder) / "page.html"
    html.write_text(recording.html(observer, ROOT / f"docs/observer/{kept}.jsonl"), encoding="utf-8")
    browser.open(html.as_uri())
    browser.wait("document.documentElement.dataset.pictures > 0")
    assert browser.value(SHOW % (json.dumps(pattern), json.dumps(view))), f"{name}: {view} never shows {pattern}"
    browser.resize(width, 400, scale)
    browser.value(ALONE % json.dumps(wanted))
    file = Path(__file__).resolve().parent / f"{name}.webp"
    browser.picture(file)
    print(f"{file.name}: {file.stat().st_size / 1024:.0f} KiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, default=ROOT / "build/bin")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    options = parser.parse_args()
    with Browser() as browser, tempfile.TemporaryDirectory(prefix="five_pictures.") as folder:
        for name in options.names or PICTURES:
            take(browser, options.programs / "observer", name, folder)


if __name__ == "__main__":
    main()
