"""What a run consists of: machines with addresses of their own, members of etcd and nodes of the chat on them, and
whoever writes down the log that the members keep."""

import asyncio
import base64
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

CLIENT_PORT, PEER_PORT = 2379, 2380
MOST_SECONDS_TO_START = 30
MOST_STARTS = 3
MOST_SECONDS_TO_END = 10
WORTH_MENTIONING = 0.3  # seconds
MOST_BYTES_OF_A_LINE = 16 << 20
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class History:
    """The file that the checker reads."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")
        self.begun = time.monotonic()
        self.last = self.begun  # when somebody typed or heard something

    def write(self, what, **fields):
        now = time.monotonic()
        if what in ("typed", "heard", "log"):
            self.last = now
        if self.file.closed:
            return  # everything is being ended; nobody wants to know that doors close
        record = {"at": round(now - self.begun, 3), "what": what, **fields}
        self.file.write(json.dumps(record, ensure_ascii=False) + "\n")

    async def watch_machine(self):
        """Writes down when the machine has so much else to do that times say nothing."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.1)
            late = time.monotonic() - before - 0.1
            if late > WORTH_MENTIONING:
                self.write("slow", seconds=round(late, 1))

    def close(self):
        self.file.close()


# ---- machines -------------------------------------------------------------------------------------------------------

class Network:
    """A machine for each name, on one wire. In namespaces of our own the wire can be cut; without them every machine is
    an address of the loopback network."""

    def __init__(self, names, has_namespaces):
        self.has_namespaces = has_namespaces
        self.cuts = set()
        prefix = "10.77.0" if has_namespaces else f"127.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250}"
        self.addresses = {name: f"{prefix}.{number}" for number, name in enumerate(names, 1)}
        if not has_namespaces:
            return
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "wire", "type", "bridge")
        run("ip", "link", "set", "wire", "up")
        run("ip", "addr", "add", f"{prefix}.254/24", "dev", "wire")
        for name, address in self.addresses.items():
            run("ip", "netns", "add", name)
            run("ip", "link", "add", f"to_{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
            run("ip", "link", "set", f"to_{name}", "master", "wire", "up")
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "-n", name, "link", "set", "eth0", "up")
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "eth0")

    def on(self, name, command):
        """The command that runs `command` on this machine."""
        return ["nsenter", f"--net=/run/netns/{name}", *command] if self.has_namespaces else command

    def cut(self, from_, to):
        """Nothing that one machine sends to the other arrives any more. It has a wrong address of the other's network
        card, so the wire takes what it sends, and nobody at its end wants it: as with a filter that drops, neither side
        is told."""
        run("ip", "-n", from_, "neigh", "replace", self.addresses[to], "lladdr", "02:00:00:00:00:01", "dev", "eth0",
            "nud", "permanent")
        self.cuts.add((from_, to))

    def heal(self):
        for from_, to in self.cuts:
            run("ip", "-n", from_, "neigh", "del", self.addresses[to], "dev", "eth0")
        self.cuts.clear()


def run(*words):
    subprocess.run(words, check=True, timeout=10)


def can_have_namespaces():
    ours = ["unshare", "-rnmpf", "--kill-child", "--mount-proc", "ip", "link", "add", "wire", "type", "bridge"]
    try:
        return subprocess.run(ours, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


# ---- programs -------------------------------------------------------------------------------------------------------

class Program:
    """A program on a machine, which can be killed, stopped and started again."""

    def __init__(self, name, network, directory):
        self.name, self.network, self.directory = name, network, directory
        self.address = network.addresses[name]
        self.process = None
        self.is_stopped = False

    async def spawn(self, command, **options):
        errors = open(self.directory / f"{self.name}.stderr", "ab")
        with errors:
            self.process = await asyncio.create_subprocess_exec(
                *self.network.on(self.name, command), stdin=subprocess.DEVNULL, stderr=errors,
                preexec_fn=die_with_parent, limit=MOST_BYTES_OF_A_LINE, **options)

    @property
    def is_running(self):
        return self.process is not None and self.process.returncode is None

    def signal(self, number):
        if self.is_running:
            self.send(self.process.pid, number)

    @staticmethod
    def send(pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass  # it has just ended by itself

    async def kill(self):
        self.signal(signal.SIGKILL)
        if self.process is not None:
            await asyncio.wait_for(self.process.wait(), MOST_SECONDS_TO_START)
        self.is_stopped = False

    def stop(self):
        self.signal(signal.SIGSTOP)
        self.is_stopped = True

    def go_on(self):
        self.signal(signal.SIGCONT)
        self.is_stopped = False


class Member(Program):
    """A member of etcd."""

    def __init__(self, name, network, directory, names):
        super().__init__(name, network, directory)
        self.url = f"http://{self.address}:{CLIENT_PORT}"
        self.cluster = ",".join(f"{each}=http://{network.addresses[each]}:{PEER_PORT}" for each in names)

    async def start(self):
        peer = f"http://{self.address}:{PEER_PORT}"
        await self.spawn(["etcd", "--name", self.name, "--data-dir", str(self.directory / "data" / self.name),
                          "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                          "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                          "--initial-cluster", self.cluster, "--initial-cluster-token", "nemesis",
                          "--logger", "zap", "--log-level", "error"], stdout=subprocess.DEVNULL)

    async def ask(self, path, question, seconds=1.0):
        """What the member answers; None where it does not."""
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await self.post(path, question)
                try:
                    return json.loads(await anext(lines_of(reader)))
                finally:
                    writer.close()
        except (OSError, ValueError, asyncio.IncompleteReadError, StopAsyncIteration, TimeoutError):
            return None

    async def post(self, path, question):
        reader, writer = await asyncio.open_connection(self.address, CLIENT_PORT, limit=MOST_BYTES_OF_A_LINE)
        body = json.dumps(question).encode()
        writer.write(f"POST {path} HTTP/1.1\r\nHost: {self.address}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        return reader, writer

    async def is_leader(self):
        status = await self.ask("/v3/maintenance/status", {})
        return bool(status) and status.get("leader") == status["header"]["member_id"]

    async def is_healthy(self):
        return await self.ask("/v3/kv/range", {"key": base64_of("health")}) is not None

    async def watch(self, prefix, history):
        """Writes down the log as this member tells it, for good: from where it was left, as often as the member ends."""
        following = 1
        while True:
            try:
                reader, writer = await self.post("/v3/watch", {"create_request": {
                    "key": base64_of(prefix), "range_end": base64_of(prefix[:-1] + chr(ord(prefix[-1]) + 1)),
                    "start_revision": str(following)}})
                try:
                    async for line in lines_of(reader):
                        result = json.loads(line)["result"]
                        if "compact_revision" in result:  # it slept too long; another member has told that part
                            following = max(following, int(result["compact_revision"]))
                            break
                        for event in result.get("events", []):
                            write_event(event, self.name, prefix, history)
                            following = int(event["kv"]["mod_revision"]) + 1
                finally:
                    writer.close()
            except (OSError, ValueError, KeyError, asyncio.IncompleteReadError):
                pass
            await asyncio.sleep(0.2)


def write_event(event, member, prefix, history):
    stored = event["kv"]
    node = base64.b64decode(stored["key"]).decode().removeprefix(prefix)
    if node.startswith("/"):
        return None  # no node's
    revision = int(stored["mod_revision"])
    if event.get("type") == "DELETE":
        return history.write("gone", by=member, revision=revision, node=node)
    value = json.loads(base64.b64decode(stored.get("value", "")) or "{}")
    return history.write("log", by=member, revision=revision, node=node, created=int(stored["create_revision"]),
                         version=int(stored["version"]), requests=value.get("requests", []))


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


async def lines_of(reader):
    """The lines of the body of a response: what a JSON gateway streams."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if "transfer-encoding: chunked" not in head:
        length = int(head.partition("content-length:")[2].split()[0])
        yield await reader.readexactly(length)
        return
    rest = b""
    while size := int(await reader.readline(), 16):
        rest += await reader.readexactly(size)
        await reader.readexactly(2)
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line
    if rest:
        yield rest


class Node(Program):
    """A node of the chat. `is_alone`: in a process namespace of its own, as in a container, so that nobody can see from
    another life of it whether this one has ended."""

    def __init__(self, name, network, directory, command, history, is_alone):
        super().__init__(name, network, directory)
        self.command, self.history, self.is_alone = command, history, is_alone
        self.port = None
        self.is_expected_to_end = False
        self.reading = None

    async def start(self):
        """Whether it serves people."""
        command = [*self.command, "--host", self.address, "--port", "0", "--node-name", self.name]
        if self.is_alone:
            command = ["unshare", "-pf", "--kill-child", "--mount-proc", *command]
        self.is_expected_to_end = False
        self.is_stopped = False
        await self.spawn(command, stdout=subprocess.PIPE)
        first = b""
        try:
            async with asyncio.timeout(MOST_SECONDS_TO_START):
                first = await self.process.stdout.readline()
                if first.startswith(b"{"):
                    self.history.write("died", node=self.name, words=f"its first line is {first.decode().strip()}")
                while first.startswith(b"{"):
                    first = await self.process.stdout.readline()
        except TimeoutError:
            pass
        if not first.startswith(b"Listening on "):
            self.history.write("did not start", node=self.name, words=(first.decode().strip() or self.last_error()))
            await self.kill()
            return False
        self.port = int(first.rpartition(b":")[2])
        self.reading = asyncio.create_task(self.read_story())
        return True

    async def read_story(self):
        process = self.process
        with open(self.directory / f"{self.name}.story", "ab") as story:
            while line := await process.stdout.readline():
                story.write(line)
        status = await process.wait()
        if not self.is_expected_to_end:
            self.history.write("died", node=self.name, words=f"status {status}: {self.last_error()}")
        self.port = None

    def last_error(self):
        lines = (self.directory / f"{self.name}.stderr").read_text(errors="replace").splitlines()
        return lines[-1] if lines else ""

    def signal(self, number):
        # The program that keeps the namespace ends with what is in it, and takes it along.
        if not self.is_running:
            return
        target = self.process.pid
        if self.is_alone:
            try:
                children = pathlib.Path(f"/proc/{target}/task/{target}/children").read_text().split()
            except OSError:
                children = []
            target = int(children[0]) if children else target
        self.send(target, number)

    async def kill(self):
        self.is_expected_to_end = True
        await super().kill()
        self.port = None

    async def end(self):
        """As an operator ends it."""
        self.is_expected_to_end = True
        self.signal(signal.SIGTERM)
        try:
            status = await asyncio.wait_for(self.process.wait(), MOST_SECONDS_TO_END)
            if status != 0 and not self.is_alone:  # else it is unshare's
                self.history.write("died", node=self.name, words=f"SIGTERM ends it with status {status}")
        except asyncio.TimeoutError:
            self.history.write("died", node=self.name, words=f"SIGTERM does not end it in {MOST_SECONDS_TO_END} s")
            await self.kill()
        self.port = None


class Cluster:
    def __init__(self, directory, history, member_names, node_names, node_command, has_namespaces, alone):
        self.history, self.directory = history, directory
        self.network = Network([*member_names, *node_names], has_namespaces)
        self.members = [Member(name, self.network, directory, member_names) for name in member_names]
        self.nodes = []
        for number, name in enumerate(node_names):
            urls = [member.url for member in self.members]
            first = number % len(urls)
            command = [*node_command, "--etcd", ",".join(urls[first:] + urls[:first])]
            self.nodes.append(Node(name, self.network, directory, command, history, name in alone))
        self.watching = []

    async def start(self, prefix):
        self.forget()
        for member in self.members:
            await member.start()
        if not await self.are_members_healthy():
            raise RuntimeError("etcd does not start")
        self.watching = [asyncio.create_task(self.history.watch_machine())]
        self.watching += [asyncio.create_task(member.watch(f"{prefix}/nodes/", self.history)) for member in self.members]
        for _ in range(MOST_STARTS):  # where the machine is slow, a node gives up before etcd is really there
            await asyncio.gather(*(node.start() for node in self.nodes if not node.is_running))
        if not all(node.port for node in self.nodes):
            raise RuntimeError("a node does not start: " + "; ".join(node.last_error() for node in self.nodes))

    async def are_members_healthy(self):
        """Waits until each of them answers; whether they do in time."""
        try:
            async with asyncio.timeout(MOST_SECONDS_TO_START):
                while not all([await member.is_healthy() for member in self.members]):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return False
        return True

    async def leader(self):
        """A member that holds itself for the leader; where there is none just now, any."""
        for member in self.members:
            if await member.is_leader():
                return member
        return self.members[0]

    async def end(self):
        for task in self.watching:
            task.cancel()
        for program in [*self.nodes, *self.members]:
            await program.kill()
        self.forget()

    def forget(self):
        """Removes what the members have stored."""
        shutil.rmtree(self.directory / "data", ignore_errors=True)


def find(program):
    path = shutil.which(program)
    if path is None:
        print(f"there is no {program} here", file=sys.stderr)
    return path
