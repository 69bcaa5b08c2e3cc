"""Plays the room, and types."""

import os
import select
import socket
import subprocess
import sys
import time

from checking import DEADLINE, SUBJECT, Wrong, must_wait_quietly, run, step, visible


class Client:
    """The student's client, connected to a room that is played here."""

    def __init__(self, name="Michael"):
        with socket.create_server(("127.0.0.1", 0)) as door:
            port = str(door.getsockname()[1])
            self.process = subprocess.Popen([sys.executable, SUBJECT, "127.0.0.1", port, name], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, bufsize=0)
            door.settimeout(DEADLINE)
            try:
                self.room, _ = door.accept()
            except TimeoutError as error:
                self.stop()
                raise Wrong("that the client connects", f"nobody came within {DEADLINE:.0f} s") from error
        self.room.settimeout(DEADLINE)
        self.printed = b""
        self.hears(f"{name}\n", "The first line that is sent is the name.")

    def type(self, text):
        try:
            self.process.stdin.write(text.encode())
        except OSError as error:
            raise Wrong("that the client reads the keyboard", str(error)) from error

    def hears(self, expected, hint=""):
        """The room gets this from the client."""
        got = b""
        wanted = expected.encode()
        try:
            while len(got) < len(wanted):
                data = self.room.recv(len(wanted) - len(got))
                if not data:
                    break
                got += data
        except OSError:  # what has come so far says enough
            pass
        if got != wanted:
            raise Wrong(f"{visible(expected)} sent to the room", visible(got), hint)

    def say(self, data):
        self.room.sendall(data if isinstance(data, bytes) else data.encode())

    def prints(self, expected, hint=""):
        until = time.monotonic() + DEADLINE
        output = self.process.stdout.fileno()
        while b"\n" not in self.printed:
            data = b""
            if select.select([output], [], [], max(0, until - time.monotonic()))[0]:
                data = os.read(output, 4096)
            elif time.monotonic() >= until:
                raise Wrong(f"{visible(expected)} printed", f"nothing within {DEADLINE:.0f} s", hint)
            if not data:
                raise Wrong(f"{visible(expected)} printed", "the client has ended", hint)
            self.printed += data
        line, _, self.printed = self.printed.partition(b"\n")
        if line != expected.encode():
            raise Wrong(visible(expected), visible(line), hint)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.room.close()
        self.stop()


@step("what is said is printed, though nobody types")
def listens():
    with Client() as client:
        client.say("Mikey has joined the room\r\n")
        client.prints("Michael's client: Mikey has joined the room",
                      "It waits for the keyboard, and hears nothing meanwhile.")
        client.say("Mikey says: Hello!\r\n")
        client.prints("Michael's client: Mikey says: Hello!")


@step("while nothing happens, it does not use the processor")
def quietly():
    with Client() as client:
        client.say("Mikey has joined the room\r\n")
        client.prints("Michael's client: Mikey has joined the room")
        must_wait_quietly(client.process, "that the client waits quietly for both",
                          "select without a timeout waits; a loop that looks at both by turns burns a processor.")


@step("what is typed is sent, though nobody speaks")
def types():
    with Client() as client:
        client.type("one\n")
        client.hears("one\n")
        client.type("two\nthree\n")
        client.hears("two\nthree\n", "Both lines were typed at once: is one still in a buffer of Python's?")


@step("a line in pieces is one line, and two in one piece are two")
def pieces():
    with Client() as client:
        client.say("Mikey sa")
        time.sleep(0.1)
        client.say("ys: Hello!\r\nMikey says: Again!\r\n")
        client.prints("Michael's client: Mikey says: Hello!", "One read is not one line.")
        client.prints("Michael's client: Mikey says: Again!")


@step("a character that arrives in two pieces, and bytes that are none")
def characters():
    with Client("Zoé") as client:
        line = "Zoé says: déjà vu 👋\r\n".encode()
        for byte in line:
            client.say(bytes([byte]))
            time.sleep(0.005)
        client.prints("Zoé's client: Zoé says: déjà vu 👋", "Decode whole lines, not whatever one read brings.")
        client.say(b"Mikey says: \xff\r\nMikey says: still there?\r\n")
        client.prints("Zoé's client: Mikey says: \ufffd", "decode('utf-8', 'replace') does not throw.")
        client.prints("Zoé's client: Mikey says: still there?")


@step("after Ctrl-D it listens on, until the room closes")
def ends():
    with Client() as client:
        client.type("goodbye\n")
        client.process.stdin.close()
        client.hears("goodbye\n")
        try:
            if client.room.recv(1):
                raise Wrong("nothing more from the client", "something")
        except TimeoutError as error:
            raise Wrong("a half-close when the keyboard ends", "nothing",
                        "room.shutdown(socket.SHUT_WR) says that no more will come.") from error
        client.say("Mikey says: see you\r\n")
        client.prints("Michael's client: Mikey says: see you", "Whoever has finished talking can still listen.")
        must_wait_quietly(client.process, "that the client waits quietly after Ctrl-D",
                          "A keyboard at its end is always ready to be read: do not ask select for it any more.")
        client.room.close()
        try:
            client.process.wait(DEADLINE)
        except subprocess.TimeoutExpired as error:
            raise Wrong("that the client ends when the room closes", "it still runs") from error


run()
