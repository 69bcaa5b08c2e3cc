"""Asks the upper-case service."""

from checking import SUBJECT, Server, run, step


def asked(sent, reply, hint=""):
    with Server(SUBJECT) as server:
        client = server.connect()
        client.send(sent)
        client.expect(reply, hint)


@step("a line comes back in capitals, with its own ending")
def capitals():
    asked("hello\n", "HELLO\n", "So far the line comes back as it was: change the letters in reply_to.")
    asked("hello\r\n", "HELLO\r\n")


@step("what is no letter stays as it is")
def others():
    asked("`az{ 42 @AZ[\n", "`AZ{ 42 @AZ[\n", "The neighbours of a and z are ` and {: they do not change.")


@step("bytes beyond ASCII stay as they are")
def beyond_ascii():
    asked("grüße\n", "GRüßE\n", "std::toupper is not made for a char below 0, and a byte of ü is below 0.")
    with Server(SUBJECT) as server:
        client = server.connect()
        for byte in range(0x80, 0xFF):  # 255 itself is telnet's
            client.send(bytes([ord("a"), byte, ord("\n")]))
            client.expect(bytes([ord("A"), byte, ord("\n")]), "Only a to z change.")


@step("many lines in one write, and a last one without its end")
def joined():
    with Server(SUBJECT) as server:
        client = server.connect()
        client.send("one\ntwo\nthree")
        client.half_close()
        client.expect("ONE\n")
        client.expect("TWO\n")
        client.ends("everything is answered")


run()
