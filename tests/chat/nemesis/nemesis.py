#!/usr/bin/env python3
"""Several nodes of 05_chat over etcd, people at their doors, and somebody who breaks things. What everybody saw is
written into a history, and check.py judges it.

    nemesis.py --programs build/bin [--seed N] [--seconds S] [--members 1|3] [--nodes N] [--faults KIND,...]

The seed decides who does what, what is broken, and when; the machine decides what comes of it. So a seed played again
breaks the same things, and finds the same mistake often, not always.

Kinds of faults, for --faults; `all` is every kind that can be tried here:
    kill-node stop-node end-node            kill -9 and a new start; SIGSTOP and SIGCONT; SIGTERM and a new start
    forget-node                             SIGSTOP, until what it has not read yet is removed from the log
    kill-member stop-member kill-leader stop-leader kill-all stop-all       of etcd
    cut-node cut-member cut-leader cut-minority cut-bridge cut-oneway       the wire, where namespaces are allowed
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import check
import cluster as clusters
import people

ON_NODES = ["kill-node", "stop-node", "end-node", "forget-node"]
ON_MEMBERS = ["kill-member", "stop-member", "kill-leader", "stop-leader", "kill-all", "stop-all"]
ON_WIRE = ["cut-node", "cut-member", "cut-leader", "cut-minority", "cut-bridge", "cut-oneway"]
NEEDS_SEVERAL_MEMBERS = {"kill-member", "stop-member", "cut-leader", "cut-minority", "cut-bridge", "cut-oneway"}
PREFIX = "five"
IN_NAMESPACES = "FIVE_NEMESIS_IN_NAMESPACES"
MOST_SECONDS_TO_MEND = 40
QUIET_SECONDS = 1.5
FILLERS, FILLER_BYTES = 20, 1_000_000  # etcd takes 1.5 MB; a node takes a snapshot every 8 MiB
SHORT_FAULT_SECONDS, SHORT_CALM_SECONDS = 4, 1  # the fault is longer than a lease
SKIPPED = 77  # what ctest takes for "could not be tried here"


class Nemesis:
    """Breaks things, one after the other, and mends them again."""

    def __init__(self, cluster, history, kinds, random_):
        self.cluster, self.history, self.kinds, self.random = cluster, history, kinds, random_
        self.count = 0

    async def rage(self, seconds):
        until = time.monotonic() + seconds
        order = []
        while time.monotonic() < until:
            order = order or self.random.sample(self.kinds, len(self.kinds))  # each once, before any comes again
            # Long enough for a leader's election, for a lease's end, and for neither.
            await self.fault(order.pop(), self.random.choice([0.5, 2, 4, 7]) * self.random.uniform(0.8, 1.2))
            # Also so long that the end of a dead node's people can be timed without another fault's help.
            await asyncio.sleep(self.random.choice([0.5, 3, 3, 11]))

    async def each_once(self):
        for kind in self.kinds:
            await self.fault(kind, SHORT_FAULT_SECONDS)
            await asyncio.sleep(SHORT_CALM_SECONDS)

    async def fault(self, kind, seconds):
        how, target = kind.split("-")
        cluster = self.cluster
        nodes, members = cluster.nodes, cluster.members
        node, member = self.random.choice(nodes), self.random.choice(members)
        if target == "leader":
            member = await cluster.leader()
        victims = {"node": [node], "all": members, "member": [member], "leader": [member]}.get(target, [])
        number = self.count = self.count + 1
        if how == "cut":
            on = self.cut(target, node, member)
        else:
            on = [("node " if victim in nodes else "member ") + victim.name for victim in victims]
        self.history.write("fault", number=number, kind=how, target=target, on=on)
        for victim in victims if how != "cut" else []:
            if how == "kill":
                await victim.kill()
            elif how == "end":
                await victim.end()
            else:
                victim.stop()
        if how == "forget":
            await self.fill_log()
        await asyncio.sleep(seconds)
        await self.mend(cluster)
        self.history.write("over", number=number)

    def cut(self, target, node, member):
        """Cuts the wire; says who is cut off."""
        network, members, nodes = self.cluster.network, self.cluster.members, self.cluster.nodes
        everybody = [*members, *nodes]
        others = [each for each in members if each is not member]
        if target == "bridge":  # two members that hear a third one, and not each other
            pairs, on = [(member, others[0]), (others[0], member)], [f"member {member.name}", f"member {others[0].name}"]
        elif target == "oneway":
            pairs, on = [(member, other) for other in others], [f"member {member.name}"]
        else:
            inside = {"node": [node], "member": [member], "leader": [member], "minority": [member, node]}[target]
            pairs = [pair for one in inside for other in everybody if other not in inside
                     for pair in ((one, other), (other, one))]
            on = [("node " if each in nodes else "member ") + each.name for each in inside]
        for from_, to in pairs:
            network.cut(from_.name, to.name)
        return on

    async def fill_log(self):
        """Writes so much into the log, as a node that says nothing, that the others take snapshots and remove what was
        before them."""
        node = {"key": clusters.base64_of(f"{PREFIX}/nodes/filler")}
        value = clusters.base64_of(json.dumps({"process": "", "lease": "0", "requests": [], "filler": "x" * FILLER_BYTES}))
        for _ in range(FILLERS):
            for member in self.cluster.members:
                if await member.ask("/v3/kv/put", {**node, "value": value}, 5):
                    break
        for member in self.cluster.members:
            await member.ask("/v3/kv/deleterange", node, 5)

    @staticmethod
    async def mend(cluster):
        cluster.network.heal()
        for program in [*cluster.members, *cluster.nodes]:
            if program.is_stopped:
                program.go_on()
        for member in cluster.members:
            if not member.is_running:
                await member.start()
        await cluster.are_members_healthy()  # a fault is over when etcd serves again
        await asyncio.gather(*(node.start() for node in cluster.nodes if not node.is_running))


async def quiet(history, most_seconds):
    """Waits until nothing has been typed or heard for a while."""
    until = time.monotonic() + most_seconds
    while time.monotonic() < min(until, history.last + QUIET_SECONDS):
        await asyncio.sleep(0.1)


async def come_to_rest(cluster, history, talking, is_over):
    """Mends everything, lets everybody have their answers, and asks all nodes who is where."""
    until = time.monotonic() + MOST_SECONDS_TO_MEND
    while True:
        await Nemesis.mend(cluster)
        if all(node.port for node in cluster.nodes) or time.monotonic() > until:
            break
    is_over.set()
    done, _ = await asyncio.wait(talking, timeout=people.MOST_SECONDS_FOR_AN_ANSWER + 15)
    here = [connection for connection in (task.result() for task in done) if connection]
    until = time.monotonic() + MOST_SECONDS_TO_MEND
    while any(each.unanswered and not each.is_closed for each in here) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    until = time.monotonic() + MOST_SECONDS_TO_MEND
    while True:
        await quiet(history, MOST_SECONDS_TO_MEND)
        ends = {node.name: await people.ask(node, history) for node in cluster.nodes}
        # A node may be held for dead while the others are asked; then all are asked again.
        if len({json.dumps(rooms, sort_keys=True) for rooms in ends.values()}) == 1 or time.monotonic() > until:
            break
    await quiet(history, MOST_SECONDS_TO_MEND)
    for node, rooms in ends.items():
        if rooms is None:
            history.write("died", node=node, words="it does not answer in the end")
        else:
            history.write("end", node=node, rooms=rooms)


async def play(options, kinds, has_namespaces, directory):
    chance = random.Random(options.seed)
    history = clusters.History(directory / "history.jsonl")
    history.write("run", seed=options.seed, seconds=options.seconds, members=options.members, nodes=options.nodes,
                  faults=kinds, history=20, lobby="lobby")
    node_names = [f"n{number}" for number in range(1, options.nodes + 1)]
    command = [*options.node_command, "--engine", "etcd", "--etcd-prefix", PREFIX, "--log", "json", "--rate", "0"]
    alone = [name for name in node_names if has_namespaces and chance.random() < 0.5]
    cluster = clusters.Cluster(directory, history, [f"m{number}" for number in range(1, options.members + 1)], node_names,
                               command, has_namespaces, alone)
    talking, is_over = [], asyncio.Event()
    try:
        await cluster.start(PREFIX)
        # Each has chances of their own, so that one who waits longer changes nothing for the others.
        talking = [asyncio.create_task(people.live(number, cluster, history, random.Random(f"{options.seed}.{number}"),
                                                   options.people / options.pace, is_over))
                   for number in range(options.people)]
        await asyncio.sleep(1)
        nemesis = Nemesis(cluster, history, kinds, chance)
        await (nemesis.each_once() if options.short else nemesis.rage(options.seconds))
        await come_to_rest(cluster, history, talking, is_over)
    finally:
        history.close()
        for task in talking:
            task.cancel()
        await cluster.end()


def kinds_of(options, has_namespaces):
    possible = [*ON_NODES, *ON_MEMBERS, *(ON_WIRE if has_namespaces else [])]
    if options.members == 1:
        possible = [kind for kind in possible if kind not in NEEDS_SEVERAL_MEMBERS]
    if options.faults == "all":
        return possible
    wanted = options.faults.split(",")
    for kind in wanted:
        if kind not in [*ON_NODES, *ON_MEMBERS, *ON_WIRE]:
            sys.exit(f"nemesis: there is no fault {kind}")
        if kind not in possible:
            print(f"{kind} cannot be tried here, and is left out", flush=True)
    return [kind for kind in wanted if kind in possible] or sys.exit(SKIPPED)


def options_of(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default="build/bin", help="where 05_chat is")
    parser.add_argument("--node-command", help="another program in the place of 05_chat")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--members", type=int, default=3, choices=[1, 3])
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--pace", type=float, default=100, help="lines a second, of all together")
    parser.add_argument("--faults", default="all")
    parser.add_argument("--short", action="store_true", help="each of these faults once, soon after each other")
    parser.add_argument("--loopback", action="store_true", help="without namespaces, as where none are allowed")
    parser.add_argument("--keep", help="a directory for the history, also of a run that is right")
    parser.add_argument("--result", help="a file for the verdict and the figures")
    options = parser.parse_args(words)
    options.node_command = (options.node_command or f"{options.programs}/05_chat").split()
    return options


def judge(options, has_namespaces, directory):
    kinds = kinds_of(options, has_namespaces)
    length = "once each" if options.short else f"{options.seconds:g} s"
    print(f"seed {options.seed}: {options.members} members, {options.nodes} nodes, {length}: {','.join(kinds)}", flush=True)
    asyncio.run(play(options, kinds, has_namespaces, directory))
    found, figures = check.check(check.read(directory / "history.jsonl"))
    if options.result:
        pathlib.Path(options.result).write_text(json.dumps({"is_right": not found, "figures": figures}), encoding="utf-8")
    return check.say(directory / "history.jsonl", found, figures)


def in_namespaces(words, directory):
    """This program again, in namespaces of its own: all that it starts ends with its first process."""
    with subprocess.Popen(["unshare", "-rnmpf", "--kill-child", "--mount-proc", sys.executable, __file__, *words,
                           "--keep", str(directory)], env={**os.environ, IN_NAMESPACES: "yes"},
                          preexec_fn=clusters.die_with_parent) as inside:
        try:
            return inside.wait()
        finally:
            inside.kill()


def main(words):
    options = options_of(words)
    if IN_NAMESPACES in os.environ:
        return judge(options, True, pathlib.Path(options.keep))
    if not clusters.find("etcd") or not shutil.which(options.node_command[0]):
        print("skipped: this needs etcd and 05_chat")
        return SKIPPED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="five_nemesis."))
    directory.mkdir(parents=True, exist_ok=True)
    result = 0  # also where somebody ends this before it ends: then nothing needs to be kept
    try:
        if not options.loopback and clusters.can_have_namespaces():
            result = in_namespaces(words, directory)
        else:
            print("without namespaces: the wire is not cut", flush=True)
            result = judge(options, False, directory)
        if result not in (0, SKIPPED):
            again = f"--seed {options.seed} --seconds {options.seconds:g} --members {options.members} --faults {options.faults}"
            print(f"what was seen is in {directory}; again: {sys.argv[0]} {again}" + " --short" * options.short)
        return result
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        if not options.keep and result in (0, SKIPPED):
            shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
