"""Whose terminal it is: each has a colour, the same on every page and in every drawing."""

import re

# Degrees on the wheel of colours; style.css says how light they are. Who often meet are far apart.
HUES = {"Ann": 25, "Ben": 255, "Carla": 150, "server": 75, "Michael": 310, "Dora": 195, "Elsa": 345,
        "node 1": 100, "node 2": 125, "node 3": 172, "etcd": 225, "Elixir": 285, "you": 50, "Mikey": 210, "Maria": 140}


def style_of(name):
    """An attribute: the colour of whoever is named first; Ann's telnet is hers. Nothing for strangers."""
    for known, hue in HUES.items():
        if re.match(rf"{known}\b", name):
            return f' style="--who: var(--light) {hue}"'
    return ""
