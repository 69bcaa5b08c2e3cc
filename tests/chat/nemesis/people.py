"""People at the text doors: they fight for names, talk, go to other rooms, leave, and come back at another node."""

import asyncio
import itertools
import re

ROOMS = ["lobby", "red", "green", "blue"]
NAMES = ["ada", "ben", "cleo", "dora", "emil", "fay", "gus", "hal", "ida", "jon", "kit", "leo", "mia", "ned", "ora", "pam",
         "quin", "rex", "sue", "tom", "uma", "vic", "wes", "xena", "yan", "zoe", "alf", "bea", "cy", "dot"]
MOST_UNANSWERED = 10            # lines that somebody types before they wait for an answer
MOST_SECONDS_TO_CONNECT = 3
MOST_SECONDS_FOR_AN_ANSWER = 30
ENTERED = re.compile(r"You are in the room (\S+) as ")
WAITS = re.compile(r"The rooms are (out of reach|back): ")  # words that answer nothing
IS_LOST = re.compile(r"\blost\b|[Nn]obody knows")
IS_OUT = re.compile(r"you are out of the room|in no room")

connections = itertools.count(1)


class Connection:
    """A person at a door. Everything typed and heard is written down."""

    def __init__(self, node, history):
        self.node, self.history = node, history
        self.number = next(connections)
        self.room = None
        self.unanswered = set()
        self.news = asyncio.Event()  # something was heard, or the door has closed
        self.last = ""               # the last words that were no line of the room
        self.is_closed = False
        self.said = 0

    async def open(self):
        self.reader, self.writer = await asyncio.wait_for(
            asyncio.open_connection(self.node.address, self.node.port), MOST_SECONDS_TO_CONNECT)
        self.history.write("opened", connection=self.number, node=self.node.name)
        self.listening = asyncio.create_task(self.listen())

    async def listen(self):
        how = "eof"
        try:
            while line := await self.reader.readline():
                if not line.endswith(b"\n"):
                    break  # a node died within a line
                self.hear(line.decode().rstrip("\r\n"))
        except OSError:
            how = "reset"
        except asyncio.CancelledError:
            how = "own"
        self.is_closed = True
        self.history.write("closed", connection=self.number, how=how)
        self.writer.close()
        self.news.set()

    def hear(self, line):
        self.history.write("heard", connection=self.number, line=line)
        if entered := ENTERED.match(line):
            self.room = entered[1]
        _, says, text = line.partition(" says: ")
        if says:
            self.unanswered.discard(text)
        elif not WAITS.match(line) and "has joined the room" not in line and "has left the room" not in line:
            self.last = line
        if IS_LOST.search(self.last):
            self.unanswered.clear()
        self.news.set()

    def type(self, line):
        self.history.write("typed", connection=self.number, line=line)
        if not self.is_closed:
            self.writer.write(line.encode() + b"\r\n")

    def say(self):
        self.said += 1
        line = f"{self.number}.{self.said} {'x' * (self.number * self.said % 40)}".strip()
        self.unanswered.add(line)
        self.type(line)

    async def until(self, is_so, seconds=MOST_SECONDS_FOR_AN_ANSWER):
        """Whether it came to be so, in time and before the door closed."""
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    if self.is_closed:
                        return False
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            return False
        return True

    async def ask_for(self, line, is_answered):
        """Types this, and nothing more before there is an answer. Whoever gets none goes away."""
        self.last = ""
        self.type(line)
        if not await self.until(is_answered):
            self.drop()
            self.is_closed = True

    async def enter(self, name):
        """Whether they are let in under this name."""
        await self.ask_for(name, lambda: self.room or self.last)
        return self.room is not None

    async def go_to(self, room):
        await self.ask_for(f"/join {room}", lambda: self.last)
        return self.room == room

    def drop(self):
        self.listening.cancel()


async def live(person, cluster, history, random, pace, is_over):
    """One person, from their coming until the run is over. Returns the connection that is open then, if any."""
    while not is_over.is_set():
        nodes = [node for node in cluster.nodes if node.port]
        if not nodes:
            await asyncio.sleep(0.2)
            continue
        connection = Connection(random.choice(nodes), history)
        try:
            await connection.open()
        except (OSError, TypeError, asyncio.TimeoutError):
            await asyncio.sleep(0.2)
            continue
        if not await connection.until(lambda: connection.last):
            connection.drop()
            continue
        while not is_over.is_set() and not connection.is_closed:
            name = random.choice(NAMES)
            if await connection.enter(name.capitalize() if random.random() < 0.2 else name):
                break
            await asyncio.sleep(random.uniform(0, 0.2))
        if connection.room and await talk(connection, random, pace, is_over):
            return connection
        if not connection.is_closed and not connection.room:
            connection.drop()
        await connection.until(lambda: False, 5)
        if not connection.is_closed:
            connection.drop()
        await asyncio.sleep(random.uniform(0, 0.5))
    return None


async def talk(connection, random, pace, is_over):
    """Talks until they leave. Whether they are still there when the run is over."""
    while not is_over.is_set():
        if connection.is_closed:
            return False
        wish = random.random()
        if IS_OUT.search(connection.last):
            connection.type("/quit")
            return False
        if wish < 0.03:
            connection.type("/quit")
            return False
        if wish < 0.04:
            connection.drop()
            return False
        if wish < 0.09:
            await connection.go_to(random.choice([room for room in ROOMS if room != connection.room]))
        elif len(connection.unanswered) < MOST_UNANSWERED:
            for _ in range(random.choice([1, 1, 1, 3])):
                connection.say()
        await asyncio.sleep(random.expovariate(1 / pace))
    return not connection.is_closed


async def ask(node, history):
    """Who is in which room, as this node has it; None where it does not say."""
    connection = Connection(node, history)
    name = f"asker{connection.number}"
    try:
        await connection.open()
    except (OSError, TypeError, asyncio.TimeoutError):
        return None
    if not await connection.until(lambda: connection.last) or not await connection.enter(name):
        connection.drop()
        return None
    rooms = {}
    for room in ROOMS:
        if room != "lobby" and not await connection.go_to(room):
            connection.drop()
            return None
        connection.last = ""
        connection.type("/who")
        if not await connection.until(lambda: connection.last.startswith("In the room: ")):
            connection.drop()
            return None
        there = connection.last.removeprefix("In the room: ").split(", ")
        rooms[room] = [each for each in there if each != name]
    connection.type("/quit")
    await connection.until(lambda: False, 5)
    return {room: people for room, people in rooms.items() if people or room == "lobby"}
