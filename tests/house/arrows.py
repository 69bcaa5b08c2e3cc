#!/usr/bin/env python3
"""Arrows point down: a source includes only what lies in its own layer or in one below.

    arrows.py [ROOT]    says each include that points up, and ends with 1 where there is one
    arrows.py --itself  tries itself on small trees that are right and wrong
"""

import pathlib
import re
import sys
import tempfile

# From the ground up: folders, and files that stand alone in theirs, without their endings. What is not named belongs to
# the nearest folder above it that is.
LAYERS = [
    "common/net",
    "common/app",
    "common/echo_client",
    "common/observer",
    "01_naive",
    "02_thread_per_client",
    "03_acceptor_pool",
    "04_supervised/otp",
    "04_supervised/otp/lab",
    "04_supervised/otp/runtime",
    "04_supervised/process",
    "04_supervised/root",
    "04_supervised/options",
    "04_supervised/worker",
    "04_supervised",
    "05_chat/base",
    "05_chat/room",
    "05_chat/fanout",
    "05_chat/engine",
    "05_chat/engine/etcd",
    "05_chat/text",
    "05_chat/link",
    "05_chat/erlang/dist",
    "05_chat/erlang",
    "05_chat/client",
    "05_chat/options",
    "05_chat/operator",
    "05_chat",
]
SEARCHED = ("", "common")  # where an include with quotes is looked for, besides beside the source
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
MAIN = re.compile(r"^int main\(", re.MULTILINE)


def layer(path):
    """The number of the layer that holds this file; None where it is in no room of the house."""
    for folder in [path.with_suffix(""), *path.parents]:
        if str(folder) in LAYERS:
            return LAYERS.index(str(folder))
    return None


def upward(root):
    """Yields each include that points up, as (source, line, included)."""
    top = sorted({folder.split("/")[0] for folder in LAYERS})
    for source in sorted(file for folder in top for file in root.glob(f"{folder}/**/*.[ch]pp")):
        path = source.relative_to(root)
        own = layer(path)
        text = source.read_text(encoding="utf-8")
        # Nothing includes a program, so it stands above its stage's libraries.
        if own is None or MAIN.search(text):
            continue
        for found in INCLUDE.finditer(text):
            included = find(root, path.parent, found[1])
            if included is not None and (layer(included) or 0) > own:
                yield path, text.count("\n", 0, found.start(1)) + 1, included


def find(root, beside, name):
    for folder in (beside, *SEARCHED):
        candidate = pathlib.Path(folder) / name
        if (root / candidate).is_file():
            return candidate
    return None


def itself():
    trees = {
        "right": {"common/net/a.hpp": "", "common/app/b.hpp": '#include "net/a.hpp"\n'},
        "up": {"common/net/a.hpp": '#include "app/b.hpp"\n', "common/app/b.hpp": ""},
        "up, within a stage": {"05_chat/room/a.cpp": '#include "05_chat/erlang/b.hpp"\n', "05_chat/erlang/b.hpp": ""},
        "a file below its folder": {"04_supervised/worker/a.hpp": '#include "04_supervised/options.hpp"\n', "04_supervised/options.hpp": ""},
        "up to a file": {"04_supervised/process/a.hpp": '#include "04_supervised/options.hpp"\n', "04_supervised/options.hpp": ""},
        "a program": {"05_chat/a.cpp": '#include "05_chat/erlang/b.hpp"\nint main() {}\n', "05_chat/erlang/b.hpp": ""},
        "to a later stage": {"01_naive/a.cpp": '// first\n#include "03_acceptor_pool/b.hpp"\n', "03_acceptor_pool/b.hpp": ""},
    }
    wrong = 0
    for name, files in trees.items():
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            found = list(upward(root))
        if bool(found) != ("up" in name or "later" in name):
            print(f"{name}: found {found}")
            wrong += 1
    return wrong


def main(arguments):
    if arguments == ["--itself"]:
        return 1 if itself() else 0
    root = pathlib.Path(arguments[0] if arguments else ".").resolve()
    missing = [layer for layer in LAYERS if not (root / layer).is_dir() and not (root / f"{layer}.hpp").is_file()]
    for folder in missing:
        print(f"{folder}: there is no such folder or header; LAYERS in {pathlib.Path(__file__).name} names it")
    arrows = list(upward(root))
    for path, line, included in arrows:
        print(f"{path}:{line}: includes {included}, which lies above it")
    return 1 if arrows or missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
