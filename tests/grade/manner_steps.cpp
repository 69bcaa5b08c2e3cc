// Good manners: telnet's habits, and limits. Advice, all of it.

#include "grade/bytes.hpp"
#include "grade/probe.hpp"
#include "grade/step.hpp"

namespace grade {

namespace {

using namespace std::string_literals;

const std::vector<std::string> every_stage{"01", "02", "03", "04"};
const std::vector<std::string> concurrent{"02", "03", "04"};

void cr_lf(Trial& trial) {
    Client client(trial.server);
    for (const auto& text : {"hello\r\n"s, "\r\n"s, "a\rb\n"s, "one\r\ntwo\nthree\r\n"s}) {
        client.send(text).expect(echo(text), "The line's own ending comes back: what ended in CR LF is answered so.");
    }
}

/// Where nothing has come for a while, a line feed makes a server show what it took the bytes before it for: nobody has
/// to wait for what never comes. Whether it was needed.
bool ends_the_line(Client& client, Server& server) {
    if (client.has_news(server.patience().a_while())) return false;
    client.send("\n");
    return true;
}

void cr_nul(Trial& trial) {
    constexpr auto hint = "CR NUL is the end of a line, too: neither byte belongs to its text, nor to the next line's.";
    Client client(trial.server);
    client.send("hello\r\0"s);
    const bool is_late = ends_the_line(client, trial.server);
    client.expect("ECHO hello\r\n", hint);
    if (is_late) client.expect("ECHO \n", hint);
    client.send("one\r\0two\n"s).expect("ECHO one\r\nECHO two\n", hint);
}

/// "Are you there" may be answered with something visible, in a line or two before the answer, or in front of it.
void expect_answer_after_evidence(Client& client) {
    constexpr int max_evidence = 2;
    const std::string answer = "ECHO hello\n";
    std::string line = client.line(in_quotes(answer));
    for (int i = 0; i < max_evidence && line.find("ECHO ") == line.npos; ++i) line = client.line(in_quotes(answer));
    if (line.ends_with(answer) && line.find("ECHO ") == line.size() - answer.size()) return;
    client.fail(differing(answer, line, "IAC (255) and the command behind it are no text."));
}

void telnet_commands(Trial& trial) {
    Client client(trial.server);
    // NOP and "are you there" in the middle; a refusal, which needs no answer; a subnegotiation with a line feed in it.
    client.send("he\xff\xf1l\xff\xf6lo\n");
    expect_answer_after_evidence(client);
    client.send("\xff\xfe\x01\xff\xfc\x03hello\n").expect("ECHO hello\n");
    client.send("\xff\xfa\x1f\0\n\xff\xff\0\xff\xf0hello\n"s).expect("ECHO hello\n");
    client.send("a\xff\xff z\n").expect("ECHO a\xff\xff z\n", "IAC IAC is the byte 255, on the way back too.");
    client.send("he\xff");
    trial.server.sleep(trial.server.patience().pause());
    client.send("\xf1llo\n").expect("ECHO hello\n", "A command may come in two reads, as a line may.");
}

void telnet_options(Trial& trial) {
    Client client(trial.server);
    client.send("\xff\xfd\x01hello\n").expect("\xff\xfc\x01"s + "ECHO hello\n", "DO is refused with WONT.");
    client.send("\xff\xfb\x1fhello\n").expect("\xff\xfe\x1f"s + "ECHO hello\n", "WILL is refused with DONT.");
}

void expect_timing_mark(Client& client) {
    const std::string awaited = R"("\xff\xfb\x06" (WILL TIMING-MARK), or "\xff\xfc\x06" (WONT))";
    std::string answer = client.take(3, awaited);
    if (answer == "\xff\xfb\x06" || answer == "\xff\xfc\x06") return;
    if (answer.starts_with("ECH")) answer += client.line(awaited);
    client.fail(
        Wrong(awaited, in_quotes(answer),
              "Take telnet's commands (IAC, 255, and what follows) out of the text, and answer DO TIMING-MARK at "
              "once, before any line ends."));
}

void telnet_ctrl_c(Trial& trial) {
    const std::string interrupt = "\xff\xf4\xff\xfd\x06";
    {
        Client client(trial.server);
        client.send(interrupt);
        const bool is_late = ends_the_line(client, trial.server);
        expect_timing_mark(client);
        if (!is_late) {
            client.send("hello\n").expect("ECHO hello\n");
            return;
        }
    }
    // It was slow, or it answers when a line ends and not before.
    Client client(trial.server);
    client.send(interrupt);
    expect_timing_mark(client);
    client.send("hello\n").expect("ECHO hello\n");
}

void line_at_limit(Trial& trial) {
    Client client(trial.server);
    const std::string line = word(trial.random, 65536) + "\n";
    client.exchange(line, echo(line), [&] { return line.size(); });
}

/// Writes x, and no line feed, until the server says something, reads no more, or closes. False where it takes `enough`
/// bytes without a word.
bool is_stopped(Client& client, std::size_t enough) try {
    const std::string piece(64 << 10, 'x');
    for (std::size_t sent = 0; sent < enough; sent += piece.size()) {
        client.send(piece);
        if (client.has_news({})) return true;
    }
    return false;
} catch (const Wrong&) {
    return true;
}

void endless_line(Trial& trial) {
    constexpr std::size_t enough = 16 << 20;
    Client client(trial.server);
    if (is_stopped(client, enough)) return expect_served(trial.server, "A line without an end");
    throw Wrong("that the server says so and closes when a line exceeds its limit",
                "it has taken 16 MiB without a line feed",
                "A line needs a limit (ours is 65536 bytes), or one client takes all the memory there is.");
}

void says_too_long(Trial& trial) {
    Client client(trial.server);
    constexpr std::size_t enough = 256 << 10;
    if (!is_stopped(client, enough)) {
        try {
            ends_the_line(client, trial.server);
        } catch (const Wrong&) {  // it has closed meanwhile, and perhaps said why
        }
    }
    const std::string answer = client.rest(64 << 10, "Say what is wrong in one line, and close.");
    if (answer.starts_with("ECHO ")) {
        throw Wrong("one line that says what is wrong, and the end", in_quotes(answer),
                    "The line had 256 KiB, and was answered like any other: it has no limit, or a higher one than ours "
                    "(65536 bytes).");
    }
    if (answer.empty() || answer.back() != '\n') {
        throw Wrong("one line that says what is wrong, and the end",
                    answer.empty() ? "the end without a word" : in_quotes(answer),
                    "Closing while bytes of the client lie unread resets the connection, and the last words are lost: "
                    "shutdown() the sending half, read the rest away, then close.");
    }
    expect_served(trial.server, "A line that is too long");
}

void bounded_buffer(Trial& trial) {
    Client client(trial.server, {.receive_buffer = 16 << 10, .send_buffer = 512 << 10, .segment = 0, .within = {}});
    constexpr std::size_t limit = 48 << 20;  // kernels buffer up to about 10 MiB between two programs
    const std::size_t before = trial.server.is_ours() ? trial.server.resident_bytes() : 0;
    const std::string sent = send_until_stuck(trial.server, client, lines(trial.random, 1000, 2000), limit);
    std::string grown;
    if (trial.server.is_ours() && trial.server.resident_bytes() > before) {
        grown = "; its memory grew with it";
    }
    client.reset();
    expect_served(trial.server, "A client that never reads");
    if (sent.size() < limit) return;
    throw Wrong("that the server stops reading from a client that does not read",
                "it has taken 48 MiB and goes on" + grown,
                "Replies that cannot be written pile up in a queue without a bound: read on only when they are gone.");
}

}  // namespace

std::vector<Step> manner_steps() {
    using enum Step::Weight;
    using enum Step::Needs;
    return {
        {"cr_lf", every_stage, advice, nothing, "telnet HOST PORT, then hello",
         "telnet ends its lines with CR LF, nc with LF. The answer's ending is the line's own, so each sees its own "
         "kind.",
         "docs/01_naive.md; RFC 854", cr_lf},
        {"cr_nul", every_stage, advice, nothing, "printf 'hello\\r\\0' | nc -N HOST PORT",
         "A terminal in telnet's raw mode sends CR NUL for Enter: it is a line's end, too, answered with CR LF.",
         "RFC 854, \"The Telnet printer and keyboard\"", cr_nul},
        {"telnet_commands", every_stage, advice, nothing,
         "telnet HOST PORT, then Ctrl-], send nop, send ayt, and hello",
         "telnet puts commands of its own among the text, each behind a byte 255 (IAC). They are not the user's words. "
         "AYT may be answered with a line of the server's own, such as [Yes].",
         "common/net/telnet.hpp; RFC 854", telnet_commands},
        {"telnet_options", every_stage, advice, nothing,
         "telnet HOST PORT, then Ctrl-], toggle options, and mode character",
         "A client that asks for an option waits for the answer. No is an answer.", "common/net/telnet.hpp; RFC 854",
         telnet_options},
        {"telnet_ctrl_c", every_stage, advice, nothing, "telnet HOST PORT, then Ctrl-C, then hello",
         "After Ctrl-C telnet shows nothing more until its DO TIMING-MARK is answered, by WILL or by WONT: the "
         "terminal "
         "seems dead.",
         "common/net/telnet.hpp; RFC 860", telnet_ctrl_c},
        {"line_at_limit", every_stage, advice, nothing,
         "(head -c 65536 /dev/zero | tr '\\0' x; echo) | nc -N HOST PORT | wc -c",
         "65536 bytes is what our servers take by default for the longest line, not counting its end.",
         "docs/01_naive.md", line_at_limit},
        {"endless_line", every_stage, advice, nothing, "tr '\\0' x < /dev/zero | nc HOST PORT",
         "A client that never ends its line fills the server's memory, if nobody counts.", "docs/01_naive.md",
         endless_line},
        {"says_too_long", every_stage, advice, nothing, "(head -c 262144 /dev/zero | tr '\\0' x) | nc -N HOST PORT",
         "A person who is cut off without a word does not know what to do next.", "docs/01_naive.md", says_too_long},
        {"bounded_buffer", every_stage, advice, nothing, "yes | nc HOST PORT | sleep 60, and look at the memory in top",
         "What is written to a client that does not read piles up somewhere. Where nothing stops it, the memory of all "
         "is one client's.",
         "docs/03_acceptor_pool.md", bounded_buffer},
    };
}

}  // namespace grade
