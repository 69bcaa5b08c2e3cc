#!/usr/bin/env python3
"""The way of a line through the chat, as the head of 05_chat/server.cpp lists it, is there, and is short. Chapter 5
draws the same way.

    way_of_a_line.py [ROOT]    says what is wrong with the list, and ends with 1 where something is
    way_of_a_line.py --itself  tries itself on small trees that are right and wrong
"""

import pathlib
import re
import sys
import tempfile

MOST_FUNCTIONS = 12
MOST_FILES = 6
ENTRY = re.compile(r"^// {5}([\w:]+) +([\w/]+\.cpp)", re.MULTILINE)


def wrong(root):
    """Yields a sentence for each thing that is wrong."""
    stage = root / "05_chat"
    way = ENTRY.findall((stage / "server.cpp").read_text(encoding="utf-8"))
    files = {file for _, file in way}
    if not way:
        yield "server.cpp lists no way of a line"
    if len(way) > MOST_FUNCTIONS:
        yield f"{len(way)} functions; at most {MOST_FUNCTIONS} are allowed"
    if len(files) > MOST_FILES:
        yield f"{len(files)} files; at most {MOST_FILES} are allowed"
    chapter = (root / "docs" / "05_chat.md").read_text(encoding="utf-8")
    picture = next((block for block in chapter.split("```mermaid")[1:] if "flowchart" in block), "").split("```")[0]
    drawn = [word for word in re.findall(r"[A-Za-z_:]{4,}", picture) if word in dict(way)]
    if list(dict.fromkeys(drawn)) != [function for function, _ in way]:
        yield "docs/05_chat.md draws another one"
    for function, file in way:
        source = stage / file
        # A definition begins at the left margin; a call does not.
        begins = re.compile(rf"^\w[^;={{\n]*\b{function}\(", re.MULTILINE)
        if not source.is_file():
            yield f"{file}: there is no such file"
        elif not begins.search(source.read_text(encoding="utf-8")):
            yield f"{file}: {function} is not defined there"


def itself():
    head = "// The way:\n//\n//     hear_out   server.cpp      a line\n//     Room::say  room/room.cpp\n"
    server = head + "void hear_out() {\n    room.say();\n}\n"
    chapter = "```mermaid\nflowchart LR\n    hear_out --> say[Room::say]\n```\n"
    trees = {
        "right": {"server.cpp": server, "room/room.cpp": "Line Room::say() {\n}\n"},
        "wrong: no list": {"server.cpp": "void hear_out() {\n}\n"},
        "wrong: no file": {"server.cpp": server},
        "wrong: only called": {"server.cpp": server, "room/room.cpp": "void f() {\n    Room::say();\n}\n"},
        "wrong: drawn in another order": {
            "server.cpp": server,
            "room/room.cpp": "Line Room::say() {\n}\n",
            "../docs/05_chat.md": "```mermaid\nflowchart LR\n    Room::say --> hear_out\n```\n",
        },
        "wrong: too long": {"server.cpp": "".join(f"//     f{i}  server.cpp\nvoid f{i}() {{\n}}\n" for i in range(13))},
    }
    mistakes = 0
    for name, files in trees.items():
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in {"../docs/05_chat.md": chapter, **files}.items():
                (root / "05_chat" / path).parent.mkdir(parents=True, exist_ok=True)
                (root / "05_chat" / path).write_text(text, encoding="utf-8")
            found = list(wrong(root))
        if bool(found) != name.startswith("wrong"):
            print(f"{name}: found {found}")
            mistakes += 1
    return mistakes


def main(arguments):
    if arguments == ["--itself"]:
        return 1 if itself() else 0
    found = list(wrong(pathlib.Path(arguments[0] if arguments else ".").resolve()))
    for sentence in found:
        print(f"the way of a line: {sentence}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
