"""Crashes as often as is bearable, and once more."""

from checking import run, step
from tree_check import Played


def crashes(*seconds):
    return [f"at {second}s: web exits segfault" for second in seconds]


def survives(*seconds):
    played = Played(crashes(*seconds))
    if played.is_over():
        raise played.wrong("that web is started again after each of these", "the supervisor has given up",
                           "intensity is how many restarts are allowed within the period.")
    played.must_have_lives("web", len(seconds) + 1)


def gives_up(*seconds):
    played = Played(crashes(*seconds))
    if not played.is_over():
        raise played.wrong("that the supervisor gives up at the last of these",
                           f"it goes on; web was started {played.lives('web')} times",
                           "Five within ten seconds are one too many: how many are allowed, and within how long?")


@step("one crash every three seconds, for a minute: it goes on")
def bad_day():
    survives(*range(3, 61, 3))


@step("four crashes in a row: it goes on")
def four():
    survives(1, 2, 3, 4)
    survives(1, 1.2, 1.4, 1.6)


@step("five crashes within ten seconds: it gives up")
def five():
    gives_up(1, 2, 3, 4, 5)
    gives_up(1, 1.2, 1.4, 1.6, 1.8)
    gives_up(1, 8, 9, 10, 10.5)


@step("four and four, with a long pause between them: it goes on")
def pause():
    survives(1, 2, 3, 4, 21, 22, 23, 24)


run()
