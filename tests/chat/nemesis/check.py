#!/usr/bin/env python3
"""Reads the history of a run of several 05_chat nodes over etcd, and says what is wrong with it.

    check.py HISTORY...   says for each what is wrong and a few figures; ends with 1 where something is
    check.py --museum DIR every history in DIR must get the verdict that its first line names

A history is what was seen from outside, one JSON object a line, in the order in which it was seen:

    {"what": "run", "history": 20, "lobby": "lobby", ...}               once, first
    {"what": "log", "by": "m1", "revision": 7, "created": 5, "version": 2, "node": "a", "requests": [...]}
    {"what": "gone", "by": "m1", "revision": 9, "node": "a"}            what the member m1 of etcd tells of the log
    {"what": "opened", "connection": 3, "node": "a"}                    a person has come to the text door of a
    {"what": "typed", "connection": 3, "line": "..."}                   "heard": what the door wrote
    {"what": "closed", "connection": 3, "how": "eof"}                   "eof": the server ended it
    {"what": "fault", "number": 1, "kind": "kill", "on": ["node a"]}    and {"what": "over", "number": 1}
    {"what": "end", "node": "a", "rooms": {"lobby": ["ada"]}}           who is where, asked at the end
    {"what": "slow", "seconds": 0.7}                                    the machine kept us waiting for so long
    {"what": "died", "node": "a", "words": "..."}                       it ended, or hung, and nobody had told it to
Each has "at", in seconds. Everything that people say is different, so that each line can be found again.

The log is applied to rooms of our own, which share nothing with those in C++. Then everything that anybody heard must
be what follows from the log, in that order, from their own coming on, without a hole.
"""

import collections
import json
import pathlib
import re
import sys

# Everybody must have seen the people of a dead node leave after so long.
MOST_SECONDS_DEAD = 5.0

ENTERED = re.compile(r"You are in the room (\S+) as (\S+)\. /help lists the commands\.")
TOLD = re.compile(r"(\S+) (has joined the room|has left the room(?: \((.*)\))?|says: (.*))")
# What a person is told whose line is not said.
NOT_SAID = re.compile(r"\blost\b|not in the room|in no room|nobody knows|no longer in the room|closing", re.IGNORECASE)
# Their node has slept for so long that it knows the log only from later on: what was there in between nobody hears.
SLEPT = re.compile(r"away for too long")
# They were let into a room, and out again at once: before that was known they had been told where they are.
UNDONE = re.compile(r"The rooms have begun anew meanwhile")
IS_OUT = re.compile(r"out of the room|no longer in the room")
TAKEN = re.compile(r"The name is taken\.")  # with a colon: they cannot be put back into their room

Line = collections.namedtuple("Line", "kind name text")  # text: what was said; why somebody left, None: not known


def line_of(words):
    """What a line in the room tells; None for all else that a door writes."""
    found = TOLD.fullmatch(words)
    if not found:
        return None
    name, verb, why, text = found.groups()
    if verb == "has joined the room":
        return Line("joined", name, "")
    return Line("said", name, text) if text is not None else Line("left", name, why or "")


def fits(heard, ordered):
    """Whether somebody may hear this where that was ordered. Why a dead node's people left is only known to the nodes."""
    return heard[:2] == ordered[:2] and (ordered.text is None or heard.text == ordered.text)


def words_of(line):
    if line is None:
        return "nothing"
    return {"joined": f"{line.name} joins", "left": f"{line.name} leaves", "said": f"{line.name}: {line.text}"}[line.kind]


# A line of a room. `place` is its revision and its place in the batch; `at` is when we learned of it.
Happened = collections.namedtuple("Happened", "line place person node at")


class Model:
    """The rooms, as they follow from the log. As simple as it can be."""

    def __init__(self, run):
        self.lobby = run.get("lobby", "lobby").lower()
        self.history = run.get("history", 20)
        self.rooms = {self.lobby: {}}                # by folded room: who is there, as person: name
        self.lines = collections.defaultdict(list)   # by folded room: everything that happened there
        self.opened = collections.defaultdict(list)  # by folded room: the indices of the lines with which it was opened
        self.nodes = {}                              # node: [epoch, version]
        self.epoch_of = {}                           # person: the epoch of the node they came through
        self.refused = collections.Counter()         # (node, folded room, folded name): how often a name was taken
        self.said = collections.defaultdict(list)    # text: its (place, person, whether it was accepted)

    def join(self, key, person, name):
        people = self.rooms.get(key, {})
        if person in people:
            return None
        if name.lower() in (each.lower() for each in people.values()):
            return "taken"
        if key not in self.rooms:
            self.opened[key].append(len(self.lines[key]))
        people[person] = name
        self.rooms[key] = people
        return Line("joined", name, "")

    def leave(self, key, person, why):
        people = self.rooms.get(key, {})
        if person not in people:
            return None
        name = people.pop(person)
        if not people and key != self.lobby:
            del self.rooms[key]
        return Line("left", name, why)

    def say(self, key, person, text):
        people = self.rooms.get(key, {})
        return Line("said", people[person], text) if person in people else None

    def shown_to_newcomer(self, room, index):
        """What somebody is shown whose joining is the line of this index."""
        key = room.lower()
        since = max((opened for opened in self.opened[key] if opened <= index), default=0)
        said = [happened.line for happened in self.lines[key][since:index] if happened.line.kind == "said"]
        return said[max(0, len(said) - self.history):]


def apply_log(model, records, wrong):
    """Applies the log, and says where it is no log."""
    for record in records:
        revision, node, at = record["revision"], record["node"], record["at"]
        if record["what"] == "gone":
            epoch, _ = model.nodes.pop(node, (None, None))
            gone = [(key, person) for key in sorted(model.rooms) for person in sorted(model.rooms[key])
                    if model.epoch_of[person] == epoch]
            for count, (key, person) in enumerate(gone):
                line = model.leave(key, person, None)
                model.lines[key].append(Happened(line, (revision, count), person, node, at))
            continue
        if record["version"] == 1:
            if node in model.nodes:
                wrong("record", f"node {node} begins anew at revision {revision}, and was not gone")
            model.nodes[node] = (record["created"], 0)
        epoch, version = model.nodes.get(node, (None, 0))
        if (record["created"], record["version"]) != (epoch, version + 1):
            wrong("record", f"a piece of the log is missing: revision {revision} is number {record['version']} of node "
                            f"{node}'s life {record['created']}, after number {version} of {epoch}")
        model.nodes[node] = (record["created"], record["version"])
        for count, request in enumerate(record.get("requests", [])):
            key, place = request["room"].lower(), (revision, count)
            (verb, wanted), = ((verb, wanted) for verb, wanted in request.items() if verb != "room")
            person = wanted["person"]
            if verb == "join":
                line = model.join(key, person, wanted["name"])
                if line == "taken":
                    model.refused[node, key, wanted["name"].lower()] += 1
                    continue
                if line:
                    model.epoch_of[person] = record["created"]
            elif verb == "leave":
                line = model.leave(key, person, wanted.get("why", ""))
            else:
                line = model.say(key, person, wanted["text"])
                model.said[wanted["text"]].append((place, person, line is not None))
            if line:
                model.lines[key].append(Happened(line, place, person, node, at))


def one_log(records, wrong):
    """The log as the members tell it; where two tell different things of one revision, etcd itself is wrong."""
    log = {}
    for record in records:
        if record["what"] not in ("log", "gone"):
            continue
        first = log.setdefault((record["revision"], record["node"]), record)
        same = ("what", "created", "version", "requests")
        if [first.get(key) for key in same] != [record.get(key) for key in same]:
            wrong("differs", f"the members of etcd tell different things of revision {record['revision']}: "
                             f"{first['by']} and {record['by']}")
    return [log[key] for key in sorted(log)]


class Stay:
    """From somebody's coming into a room until they are no longer there, as they heard it."""

    def __init__(self, connection, room, name, at, shown, is_return):
        self.connection, self.room, self.name, self.at = connection, room, name, at
        self.shown = shown          # lines heard before, the last of which are the room's history
        self.is_return = is_return  # their node was held for dead, and has put them back: no history is shown
        self.heard = []             # (at, line)
        self.has_missed_the_end = False
        self.next = None            # their next stay
        self.start = None           # the index of their joining in the room's lines

    def __str__(self):
        return f"connection {self.connection.number} at node {self.connection.node}, {self.name} in {self.room}"


class Connection:
    def __init__(self, record):
        self.number, self.node, self.opened = record["connection"], record["node"], record["at"]
        self.stays = []
        self.undone = []    # stays of which they have heard nothing
        self.typed = set()  # texts that are to be said
        self.acknowledged = set()  # of those, what they saw
        self.refused = []   # (room, name) that were taken
        self.events = []    # ("typed", text), ("not said", the words that they were told)
        self.is_in = False  # a room
        self.closed = None
        self.how = None
        self.has_quit = False
        self.wants = collections.deque()  # the rooms and the names that they have asked for, without an answer so far
        self.may_be_lost = False  # what they want, from before their node was held for dead: an answer may be to a later one
        self.before = []   # (at, line) heard outside of a stay
        self.person = None

    def type(self, line, lobby):
        if line.startswith("/join "):
            self.wants.append((line[6:].strip(), self.stays[-1].name if self.stays else ""))
        elif line == "/quit":
            self.has_quit = True
        elif line.startswith("/"):
            pass
        elif not self.stays:
            self.wants.append((lobby, line.strip()))
        else:
            self.typed.add(line)
            self.events.append(("typed", line))

    def hear(self, words, at):
        entered = ENTERED.fullmatch(words)
        if entered:
            room, name = entered.groups()
            asked = [each for each in self.wants if each[0].lower() == room.lower()]
            is_return = not asked
            last = self.stays[-1].heard if self.stays else self.before
            stay = Stay(self, room, name, at, last, is_return)
            if self.stays:
                self.stays[-1].next = stay
            self.stays.append(stay)
            self.is_in = True
            while asked and self.wants.popleft() is not asked[0]:  # those before it were refused, or lost
                pass
            self.may_be_lost = self.may_be_lost and is_return
            return
        line = line_of(words)
        if line:
            (self.stays[-1].heard if self.stays else self.before).append((at, line))
            if line.kind == "said" and line.text in self.typed:
                self.acknowledged.add(line.text)
        elif TAKEN.match(words) and self.wants:
            wanted = self.wants.popleft()
            if not self.may_be_lost:
                self.refused.append(wanted)
        elif UNDONE.match(words) and self.wants:
            room, name = self.wants.popleft()
            self.undone.append(Stay(self, room, name, at, [], False))
        else:
            if IS_OUT.search(words):
                self.is_in = False
                self.may_be_lost = bool(self.wants)
            if SLEPT.search(words) and self.stays:
                self.stays[-1].has_missed_the_end = True
            if NOT_SAID.search(words):
                self.events.append(("not said", words))


def read_people(records, lobby):
    connections = {}
    for record in records:
        what, number = record["what"], record.get("connection")
        if what == "opened":
            connections[number] = Connection(record)
        elif what == "typed":
            connections[number].type(record["line"], lobby)
        elif what == "heard":
            connections[number].hear(record["line"], record["at"])
        elif what == "closed":
            connections[number].closed, connections[number].how = record["at"], record["how"]
    return list(connections.values())


# ---- what anybody heard ---------------------------------------------------------------------------------------------

def find_persons(connections, model):
    """Who is who: what somebody has said stands in the log with their number. Returns the connection of each person."""
    owner = {}
    for connection in connections:
        for text in connection.typed:
            for _, person, _ in model.said.get(text, []):
                connection.person = person
                owner.setdefault(person, connection)
    return owner


def history_before(stay, model):
    """Takes the room's history off what was heard before the stay; returns it, and what it should have been."""
    expected = [] if stay.is_return else model.shown_to_newcomer(stay.room, stay.start)
    cut = len(stay.shown) - min(len(expected), len(stay.shown))
    shown = [line for _, line in stay.shown[cut:]]
    del stay.shown[cut:]
    return shown, expected


def find_starts(connections, model, owner, wrong):
    """Finds the joining of each stay in the log. A person's stays in a room are their joins there, one after the other."""
    joins = collections.defaultdict(list)   # (person, room): indices
    unknown = collections.defaultdict(list)  # (node, room, name): (index, person) whom no words tell
    for key, lines in model.lines.items():
        for index, happened in enumerate(lines):
            if happened.line.kind == "joined":
                joins[happened.person, key].append(index)
                if happened.person not in owner:
                    unknown[happened.node, key, happened.line.name].append(index)
    everything = [stay for connection in connections for stay in connection.stays + connection.undone]
    for stay in sorted(everything, key=lambda stay: stay.at):
        key = stay.room.lower()
        if stay.connection.person is not None:
            candidates = joins[stay.connection.person, key]
        else:
            candidates = unknown[stay.connection.node, key, stay.name]
        if not candidates:
            wrong("held twice", f"{stay}: was let in, and no joining in the log that was granted is theirs")
            continue
        stay.start = min(candidates, key=lambda index: misfit(stay, index, model)) if stay.connection.person is None \
            else candidates[0]
        candidates.remove(stay.start)


def misfit(stay, start, model):
    """How little of the stay fits where somebody joined: for those who never said anything."""
    ordered = model.lines[stay.room.lower()][start + 1:]
    pairs = list(zip((line for _, line in stay.heard), (happened.line for happened in ordered)))
    return sum(not fits(*pair) for pair in pairs) + len(stay.heard) - len(pairs)


def check_stay(stay, model, everything, wrong):
    """What was heard is what was ordered, from their joining on."""
    key = stay.room.lower()
    lines = model.lines[key]
    person = lines[stay.start].person
    here, gone = {stay.name.lower()}, set()
    heard_before = []
    for count, (_, line) in enumerate(stay.heard):
        index = stay.start + 1 + count
        expected = lines[index].line if index < len(lines) else None
        is_out = expected is not None and expected.kind == "left" and lines[index].person == person
        if expected and not is_out and fits(line, expected):
            (here.add if line.kind == "joined" else here.discard if line.kind == "left" else str)(line.name.lower())
            (gone.add if line.kind == "left" else gone.discard if line.kind == "joined" else str)(line.name.lower())
            heard_before.append(line)
            continue
        where = f"{stay}: heard “{words_of(line)}”, where {words_of(expected)} was ordered"
        if index < len(lines):
            where += f" at revision {lines[index].place[0]}"
        later = [each for _, each in stay.heard[count + 1:]]
        if line.kind == "left" and line.name.lower() in gone:
            return wrong("left twice", where)
        if line.kind == "joined" and line.name.lower() in here:
            return wrong("held twice", where)
        if line.kind == "said" and line.text not in everything:
            is_own = line.text in stay.connection.typed
            return wrong("lost" if is_own else "not ordered", f"{where}, and it is not in the log")
        if line in heard_before and line.kind == "said":
            return wrong("repeat", where)
        if expected and any(fits(each, expected) for each in later):
            return wrong("differs", where)
        if any(fits(line, happened.line) for happened in lines[index + 1:]):
            return wrong("hole", where)
        return wrong("differs", where)
    return None


def own_leave(stay, model):
    """The index of their leaving, or of the end of the room's lines. Whose node is held for dead is out before any of
    its people leaves."""
    lines = model.lines[stay.room.lower()]
    person = lines[stay.start].person
    for index in range(stay.start + 1, len(lines)):
        if lines[index].person == person and lines[index].line.kind == "left":
            while lines[index].line.text is None and lines[index - 1].place[0] == lines[index].place[0]:
                index -= 1
            return index
    return len(lines)


def has_gone_in_peace(connection, faults):
    """Whether they have gone by themselves, and everything before that was answered."""
    killed = any(f"node {connection.node}" in fault["on"] and fault["kind"] in ("kill", "end")
                 and connection.opened <= fault["at"] <= connection.closed + 1 for fault in faults)
    return connection.how == "eof" and connection.has_quit and not killed


def check_end_of_stay(stay, model, faults, wrong):
    """They heard everything as long as they were there. Whose node died, or who went themselves, may have missed the
    last."""
    if stay.has_missed_the_end:
        return
    lines = model.lines[stay.room.lower()]
    connection = stay.connection
    end = own_leave(stay, model)
    if stay.next is not None:
        if stay.next.start is None:
            return
        if not stay.next.is_return:  # from then on they hear the next room
            joined = model.lines[stay.next.room.lower()][stay.next.start].place
            end = min([end, *(index for index in range(stay.start + 1, len(lines)) if lines[index].place > joined)])
    elif connection.closed is not None:
        if not has_gone_in_peace(connection, faults):
            return
    heard = stay.start + 1 + len(stay.heard)
    if heard < end:
        wrong("hole", f"{stay}: heard nothing after {words_of(lines[heard - 1].line)}, and before they left came "
                      f"{end - heard} lines, the first: {words_of(lines[heard].line)}, revision {lines[heard].place[0]}")


def check_people(connections, model, faults, wrong):
    owner = find_persons(connections, model)
    find_starts(connections, model, owner, wrong)
    everything = {text for text, places in model.said.items() if any(accepted for _, _, accepted in places)}
    for connection in connections:
        for stay in reversed(connection.stays):  # so that the history is taken off the stay before
            if stay.start is None:
                continue
            shown, expected = history_before(stay, model)
            if shown != expected:
                wrong("history", f"{stay}: was shown {[words_of(line) for line in shown]} as the room's history, which "
                                 f"was {[words_of(line) for line in expected]}")
        if connection.before and connection.stays and connection.stays[0].start is not None:
            wrong("history", f"connection {connection.number} heard more than the history before they were let in: "
                             f"{words_of(connection.before[0][1])}")
        for stay in connection.stays:
            if stay.start is not None and check_stay(stay, model, everything, wrong) is None:
                check_end_of_stay(stay, model, faults, wrong)


def check_speakers(connections, model, faults, wrong):
    """Each speaker's lines are there once, in their order, without a hole."""
    for text, places in model.said.items():
        if len(places) > 1:
            wrong("repeat", f"“{text}” is in the log {len(places)} times: {[place for place, _, _ in places]}")
    for connection in connections:
        last, missing, told = None, [], 0
        for kind, text in connection.events:
            if kind == "not said":
                told += 1
                continue
            place, _, is_accepted = model.said.get(text, [(None, None, False)])[0]
            if not is_accepted and text in connection.acknowledged:
                wrong("lost", f"connection {connection.number} at node {connection.node} saw their own “{text}”, and it "
                              f"is not in the log")
            elif not is_accepted:
                missing.append(text)
            elif last and place < last[0]:
                wrong("disorder", f"connection {connection.number} said “{last[1]}” before “{text}”; in the log it is "
                                  f"the other way round")
            if is_accepted:
                last, holes = (place, text), len(missing)
        # Whose door has closed may not know of the last ones. Who is there in the end has an answer to everything.
        if connection.closed is not None and not has_gone_in_peace(connection, faults):
            missing = missing[:holes] if last else []
        if len(missing) > told:
            wrong("hole", f"connection {connection.number} at node {connection.node}: {len(missing)} lines were not said, "
                          f"and {told} times they were told so; the first: “{missing[0]}”")


def check_verdicts(connections, model, wrong):
    told = collections.Counter((connection.node, room.lower(), name.lower())
                               for connection in connections for room, name in connection.refused)
    for key, count in told.items():
        if count > model.refused[key]:
            wrong("verdict", f"node {key[0]} said {count} times that {key[2]} is taken in {key[1]}; by the log it was so "
                             f"{model.refused[key]} times")


# ---- what happened around them --------------------------------------------------------------------------------------

def read_faults(records):
    faults = {}
    for record in records:
        if record["what"] == "fault":
            faults[record["number"]] = {**record, "over": None}
        elif record["what"] == "over":
            faults[record["number"]]["over"] = record["at"]
    return list(faults.values())


def is_alone(fault, faults):
    """Whether no other fault was there until its people must have left; after another one etcd may need time to mend."""
    calm_before = 10.0
    return not any(other is not fault and other["at"] < fault["at"] + MOST_SECONDS_DEAD
                   and (other["over"] is None or other["over"] > fault["at"] - calm_before) for other in faults)


def slowness(records, since):
    """For how long the machine itself did nothing, in the time that is looked at."""
    return sum(record["seconds"] for record in records
               if record["what"] == "slow" and since <= record["at"] <= since + 2 * MOST_SECONDS_DEAD)


def check_dead_nodes(records, model, connections, faults, wrong):
    """The people of a dead node leave within so long, for everybody at the others."""
    for fault in faults:
        role, _, node = fault["on"][0].partition(" ")
        lasted = (fault["over"] or float("inf")) - fault["at"]
        is_dead = role == "node" and len(fault["on"]) == 1 and (fault["kind"] == "kill" or lasted >= MOST_SECONDS_DEAD)
        if not is_dead or not is_alone(fault, faults):
            continue
        died = f"node {node} died at {fault['at']:.1f}"
        latest = fault["at"] + MOST_SECONDS_DEAD + slowness(records, fault["at"])
        for key, lines in model.lines.items():
            there = set()
            for index, happened in enumerate(lines):
                name, is_left = happened.line.name, happened.line.kind == "left"
                if happened.at < fault["at"]:
                    if happened.line.kind == "joined" and happened.node == node:
                        there.add(happened.person)
                    elif is_left:
                        there.discard(happened.person)
                elif is_left and happened.person in there:
                    there.discard(happened.person)
                    if happened.at > latest:
                        wrong("late", f"{died}, and {name} leaves {key} only at {happened.at:.1f}")
                        continue
                    for stay, at in heard_by_others(index, key, node, connections):
                        if at > latest and stay.at < latest:
                            wrong("late", f"{stay}: {died}, and they heard that {name} left at {at:.1f}")
            for person in there:
                wrong("late", f"{died}, and person {person} never left {key}")


def heard_by_others(index, key, node, connections):
    """Yields who heard that line of the room at other nodes, and when."""
    for stay in (stay for connection in connections if connection.node != node for stay in connection.stays):
        if stay.room.lower() == key and stay.start is not None and 0 <= index - stay.start - 1 < len(stay.heard):
            yield stay, stay.heard[index - stay.start - 1][0]


def check_ends(records, connections, model, wrong):
    expected = {key: sorted(people.values()) for key, people in model.rooms.items()}
    ends = [record for record in records if record["what"] == "end"]
    for record in records:
        if record["what"] == "died":
            wrong("died", f"node {record['node']} at {record['at']:.1f}: {record['words']}")
    for record in ends:
        rooms = {name.lower(): sorted(people) for name, people in record["rooms"].items()}
        if rooms != expected:
            wrong("end", f"node {record['node']} ends with {rooms}; by the log it is {expected}")
    if not ends:
        return
    there = collections.Counter((connection.stays[-1].room.lower(), connection.stays[-1].name)
                                for connection in connections if connection.closed is None and connection.is_in)
    listed = collections.Counter((key, name) for key, people in expected.items() for name in people)
    for key, name in listed - there:
        wrong("ghost", f"in the end {name} is in {key}, and there is nobody behind that name")
    for key, name in there - listed:
        wrong("ghost", f"in the end {name} believes to be in {key}, and is not")


def figures(records, connections, model, faults):
    """Some figures of the run: (name, value)."""
    own = sorted(record["at"] for record in acknowledged(records))
    silences, kinds = collections.defaultdict(float), collections.Counter()
    for fault in faults:
        # From its beginning until service is there again after its end.
        until = fault["over"] if fault["over"] is not None else own[-1] if own else 0
        name = f"{fault['kind']}-{fault.get('target', fault['on'][0].split()[0])}"
        kinds[name] += 1
        times = [fault["at"], *(at for at in own if at >= fault["at"])]
        for before, after in zip(times, times[1:]):
            if before <= until:
                silences[name] = max(silences[name], after - before)
    kills = [(fault["on"], fault["at"], fault["over"] or float("inf")) for fault in faults if fault["kind"] == "kill"]
    gone = {record["revision"]: record for record in records if record["what"] == "gone"}
    fences = sum(not any(f"node {record['node']}" in on and begun <= record["at"] <= over + 1 for on, begun, over in kills)
                 for record in gone.values())
    return {"people": len(connections), "stays": sum(len(connection.stays) for connection in connections),
            "said": sum(len(connection.typed) for connection in connections), "acknowledged": len(own),
            "in the log": sum(len(places) for places in model.said.values()),
            "longest silence": {name: round(value, 1) for name, value in sorted(silences.items())},
            "faults": dict(sorted(kinds.items())), "fences": fences}


def acknowledged(records):
    typed = set()
    for record in records:
        if record["what"] == "typed":
            typed.add((record["connection"], record["line"]))
        elif record["what"] == "heard":
            line = line_of(record["line"])
            if line and line.kind == "said" and (record["connection"], line.text) in typed:
                typed.discard((record["connection"], line.text))
                yield record


def check(records):
    """What is wrong, as (kind, words), and the figures."""
    found = []

    def wrong(kind, words):
        found.append((kind, words))
        return kind

    run = records[0]
    model = Model(run)
    apply_log(model, one_log(records, wrong), wrong)
    connections = read_people(records, model.lobby)
    faults = read_faults(records)
    if found:  # without the order nothing else can be judged
        return found, figures(records, connections, model, faults)
    check_people(connections, model, faults, wrong)
    check_speakers(connections, model, faults, wrong)
    check_verdicts(connections, model, wrong)
    check_dead_nodes(records, model, connections, faults, wrong)
    check_ends(records, connections, model, wrong)
    if not any(text for text in model.said):
        wrong("record", "nobody said anything")
    return found, figures(records, connections, model, faults)


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


MOST_SHOWN = 20


def say(path, found, told):
    """Prints the verdict; returns the program's exit code."""
    for kind, words in found[:MOST_SHOWN]:
        print(f"WRONG ({kind}): {words}")
    if len(found) > MOST_SHOWN:
        print(f"and {len(found) - MOST_SHOWN} more")
    print(f"{path}: {'WRONG' if found else 'right'}; " + "; ".join(f"{name} {value}" for name, value in told.items()))
    return 1 if found else 0


def main(paths):
    return max(say(path, *check(read(path))) for path in paths)


def spoiled(records):
    """A right history, made wrong in every place where somebody heard a line before another one: it is left out, told
    twice, told one later. Yields (what was done, records)."""
    heard = collections.defaultdict(list)
    for index, record in enumerate(records):
        if record["what"] == "heard" and line_of(record["line"]):
            heard[record["connection"]].append(index)
    for indices in heard.values():
        for index, later in zip(indices, indices[1:]):
            line = records[index]["line"]
            yield f"without “{line}”", records[:index] + records[index + 1:]
            yield f"with “{line}” twice", records[:index + 1] + records[index:]
            if records[later]["line"] != line:
                swapped = list(records)
                swapped[index], swapped[later] = ({**records[index], "line": records[later]["line"]},
                                                  {**records[later], "line": line})
                yield f"with “{line}” and the next line the other way round", swapped


def museum(directory):
    """Each history says in its first line what must be found: "expect", a kind, or "right". A right one must be found
    wrong when it is spoiled."""
    paths = sorted(pathlib.Path(directory).glob("*.jsonl"))
    bad = 0
    for path in paths:
        records = read(path)
        kinds = sorted({kind for kind, _ in check(records)[0]}) or ["right"]
        is_as_expected = kinds == [records[0]["expect"]]
        bad += not is_as_expected
        print(f"{'ok   ' if is_as_expected else 'WRONG'} {path.stem}: {', '.join(kinds)}; expected {records[0]['expect']}")
        if kinds != ["right"]:
            continue
        for how, spoiled_records in spoiled(records):
            if not check(spoiled_records)[0]:
                bad += 1
                print(f"WRONG {path.stem} is found right {how}")
    if not paths:
        print(f"there is no history in {directory}")
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(museum(sys.argv[2]) if sys.argv[1] == "--museum" else main(sys.argv[1:]))
