"""Plays what an exercise's page shows of its telnets, with the student's function in the server: heard.py PROGRAM PAGE"""

import pathlib
import re
import sys

from checking import SUBJECT, Server, run, step

ENTER = " ⏎"
PAGE = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")


@step("what the page shows is heard at a telnet")
def page():
    people = {}
    with Server(SUBJECT) as server:
        for name, block in re.findall(r"^\*\*(\w+)\*\*\n```console\n(.*?)^```", PAGE, flags=re.M | re.S):
            for line in block.splitlines() if name != "server" else ():
                if line.startswith("$ telnet "):
                    people[name] = server.connect()
                elif line.endswith(ENTER):
                    people[name].send(line.removesuffix(ENTER) + "\n")
                else:
                    people[name].expect(line + "\r\n", f"{name}'s telnet on the exercise's page shows what should come.")


run()
