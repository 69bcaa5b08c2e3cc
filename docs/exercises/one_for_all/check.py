"""Lets each of the four crash."""

from checking import run, step
from tree_check import Played, times

GROUP = ["db", "cache", "web"]


@step("all four are started, db before cache before web")
def begins():
    played = Played([])
    for child in [*GROUP, "metrics"]:
        played.must_have_lives(child, 1)
    order = [child for child in played.order(r"starts (\w+)#1", 0) if child in GROUP]
    if order != GROUP:
        raise played.wrong(f"that they are started in the order {', '.join(GROUP)}", ", ".join(order))


@step("whichever of the three crashes: all three are started again, and metrics is not")
def crashes():
    for child in GROUP:
        played = Played([f"at 1s: {child} exits segfault"])
        for other in GROUP:
            played.must_have_lives(other, 2, "one_for_one restarts only the one that crashed.")
        played.must_have_lives("metrics", 1, "It shares nothing with the others: give them a supervisor of their own.")
        order = [other for other in played.order(r"starts (\w+)#2", 1) if other in GROUP]
        if order != GROUP:
            raise played.wrong(f"that they are started again in the order {', '.join(GROUP)}", ", ".join(order))
        stopped = [other for other in played.order(r"asks (\w+)#1 to stop", 1) if other in GROUP]
        expected = [other for other in reversed(GROUP) if other != child]
        if stopped != expected:
            raise played.wrong(f"that the others are stopped in the order {', '.join(expected)}",
                               ", ".join(stopped) or "nobody was asked to stop")


@step("metrics crashes: only metrics is started again")
def metrics():
    played = Played(["at 1s: metrics exits segfault"])
    played.must_have_lives("metrics", 2)
    for child in GROUP:
        if played.lives(child) != 1:
            raise played.wrong(f"that {child} does not notice", f"it was started {times(played.lives(child))}")
    played.must_run("metrics")


run()
