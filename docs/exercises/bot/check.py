"""Sits in a room with the parrot."""

import subprocess

from checking import DEADLINE, SUBJECT, Server, Wrong, must_wait_quietly, program, run, step


class Room(Server):
    def __init__(self):
        super().__init__(program("05_chat"), arguments=("--port", "0", "--log", "quiet", "--rate", "0"))

    def person(self, name):
        client = self.connect()
        client.send(name + "\n")
        while not client.line("to be let into the room").startswith(b"You are in the room"):
            pass
        return client

    def parrot(self, listener):
        """Starts it, and waits until it is in."""
        bot = subprocess.Popen([SUBJECT, str(self.port)], stdin=subprocess.DEVNULL)
        listener.expect("Parrot has joined the room\r\n", "The first line that the bot sends is its name.")
        return bot


def says(person, name, words, hint=""):
    person.send(words + "\n")
    person.expect(f"{name} says: {words}\r\n", hint)


def with_parrot(play):
    with Room() as room:
        michael = room.person("Michael")
        bot = room.parrot(michael)
        try:
            play(room, michael, bot)
        finally:
            bot.kill()
            bot.wait()


@step("it repeats what it is told")
def repeats():
    def play(_, michael, __):
        says(michael, "Michael", "Parrot: hello")
        michael.expect("Parrot says: hello\r\n", "It is spoken to: the answer is what follows its name.")
        says(michael, "Michael", "Parrot: two words")
        michael.expect("Parrot says: two words\r\n")
    with_parrot(play)


@step("it says nothing when it is not spoken to")
def not_spoken_to():
    def play(_, michael, bot):
        not_addressed = "What is not addressed to it is not answered."
        for words in ("hello", "I like Parrot: it is green", "Parrots: all of you", "Parrot", "Mikey: Parrot: hello"):
            says(michael, "Michael", words, not_addressed)
        says(michael, "Michael", "Parrot: done", not_addressed)
        michael.expect("Parrot says: done\r\n", not_addressed)
        must_wait_quietly(bot, "that the bot waits quietly while nobody speaks", "recv waits for the next line.")
    with_parrot(play)


@step("it is not fooled by talk about talk")
def talk_about_talk():
    def play(_, michael, __):
        the_first = "The speaker ends at the first \" says: \"; the rest is what they say."
        for words in ("Mikey says: Parrot: hello", "He says: Parrot: hello", "Parrot: done"):
            says(michael, "Michael", words, the_first)
        michael.expect("Parrot says: done\r\n", the_first)
    with_parrot(play)


@step("it does not answer itself")
def itself():
    def play(_, michael, __):
        says(michael, "Michael", "Parrot: Parrot: again")
        michael.expect("Parrot says: Parrot: again\r\n")
        michael.silence("the parrot does not speak to itself", hint="Who is the speaker of that line?")
        says(michael, "Michael", "Parrot: done")
        michael.expect("Parrot says: done\r\n", "Who is the speaker of what it said last?")
    with_parrot(play)


@step("it does not answer what was said before it came")
def history():
    with Room() as room:
        michael = room.person("Michael")
        says(michael, "Michael", "Parrot: are you there?")
        bot = room.parrot(michael)
        try:
            too_early = "A newcomer is shown what was said before; it is not meant for it."
            michael.send("Parrot: now\n")
            michael.expect("Michael says: Parrot: now\r\n", too_early)
            michael.expect("Parrot says: now\r\n", too_early)
        finally:
            bot.kill()
            bot.wait()


@step("it goes when the room closes")
def closes():
    def play(room, _, bot):
        room.process.terminate()
        try:
            bot.wait(DEADLINE)
        except subprocess.TimeoutExpired as error:
            raise Wrong("that the bot ends with the connection", f"it still runs after {DEADLINE:.0f} s") from error
    with_parrot(play)


run()
