"""What somebody types in a console block, and what each of it brings onto the screen."""

import re
from dataclasses import dataclass, field

# What a program shows when it waits for a person: what stands before typed words on a page.
PROMPT = re.compile(r"^(\$ |> |telnet> |iex(\(\S+\))?\d*(\(\d+\))?> |iex\(.*?\)\d+> |\.\.\.\(.*?\)\d+> |\d+> )")
INTERRUPTED = "^C$ "  # the shell's prompt after a program that ended at ^C without a word
ENTER = "⏎"  # ends a line that the person types into a program
KEY = re.compile(r"^\^([A-Z\]\\])")
SILENT_KEYS = "D"  # the terminal shows nothing for it: such a line is only there to be read


@dataclass
class Step:
    """Something that the person does (or nothing), and the lines that are on the screen because of it."""

    action: str = ""  # "", "line" or "key"
    prompt: str = ""
    typed: str = ""
    line: int = 0
    expected: list = field(default_factory=list)  # pairs of line number and text; the typed line's echo included
    echoes: int = 0  # how many of them, at the beginning, are the echo
    really_typed: str = ""  # what is typed, with this replay's ports and process ids

    @property
    def output(self):
        return self.expected[self.echoes:]


def steps_of(block):
    steps = [Step(line=block.line - 1)]
    in_command = False
    for number, text in enumerate(block.lines, block.line):
        if text.startswith(INTERRUPTED):  # a program that says nothing when it is interrupted
            steps.append(Step("key", "", "C", number))
            steps.append(Step("line", INTERRUPTED, text.removeprefix(INTERRUPTED), number, [(number, text)], 1))
            continue
        prompt = PROMPT.match(text)
        key = KEY.match(text[prompt.end():] if prompt else text)
        if text.startswith("$ ") or in_command and text.startswith("> "):
            steps.append(Step("line", text[:2], text[2:], number, [(number, text)], 1))
            in_command = True
            continue
        in_command = False
        if text.endswith(ENTER):
            shown = text.removesuffix(ENTER).removesuffix(" ")
            prompt = PROMPT.match(shown + " ") if shown.endswith(">") else PROMPT.match(shown)
            prompt = prompt.group() if prompt else ""
            steps.append(Step("line", prompt, shown[len(prompt):], number, [(number, shown)], 1))
        elif key:
            shows = key.group(1) not in SILENT_KEYS
            steps.append(Step("key", "", key.group(1), number, [(number, text)] if shows else []))
        else:
            steps[-1].expected.append((number, text))
    return steps


def names_of(block):
    """The terminals that show it: several, where the same is on the screen of each."""
    return [name.strip() for name in block.fact("terminal").split(",")]
