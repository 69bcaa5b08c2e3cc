"""Lets the plugin crash as often as it likes."""

from checking import run, step
from tree_check import Played


def crashes(child, *seconds):
    return [f"at {second}s: {child} exits boom" for second in seconds]


@step("both are started")
def begins():
    played = Played([])
    played.must_have_lives("web", 1)
    played.must_have_lives("plugin", 1)


@step("two crashes of the plugin: it is started again each time")
def two():
    played = Played(crashes("plugin", 1, 1.1))
    played.must_have_lives("plugin", 3, "It may be restarted twice within five seconds: intensity and period say so.")
    played.must_run("plugin")


@step("the plugin crashes a third time: it stays away, and web does not notice")
def third():
    played = Played(crashes("plugin", 1, 1.1, 1.2))
    played.must_run("web", "A supervisor that gives up takes all its children with it: web must not be one of them.")
    played.must_have_lives("web", 1, "web was well: it should not have been restarted.")
    played.must_have_lives("plugin", 3, "A supervisor that has given up is restarted, too, if it is permanent.")


@step("the plugin crashes whenever it runs, for ten seconds")
def for_ever():
    played = Played(crashes("plugin", *[1 + tenth / 10 for tenth in range(100)]))
    played.must_run("web")
    played.must_have_lives("web", 1)


@step("web crashes: web is started again, and the plugin does not notice")
def web():
    played = Played(crashes("web", 1, 2))
    played.must_have_lives("web", 3)
    played.must_run("web")
    played.must_have_lives("plugin", 1, "Each should have its own supervisor, or one_for_one.")


run()
