// One client and its lines: what every stage can.

#include "grade/bytes.hpp"
#include "grade/probe.hpp"
#include "grade/step.hpp"

#include <filesystem>
#include <optional>
#include <system_error>

namespace grade {

namespace {

const std::vector<std::string> every_stage{"01", "02", "03", "04"};

constexpr auto takes_a_read_for_a_line =
    "It looks as if one recv() were taken for one line. TCP is a stream of bytes: collect what comes until there is a "
    "line feed, and keep what is behind it.";

void first_answer(Trial& trial) {
    Client client(trial.server);
    client.send("hello\n").expect("ECHO hello\n",
                                  "Nothing is sent before the first line, and each answer begins with \"ECHO \". "
                                  "A line ends with LF (nc) or CR LF (telnet), and its answer ends as it did. Send the "
                                  "answer when the line is whole, and flush it.");
}

void learn_prefix(Trial& trial) {
    const std::string texts[] = {"hello\n", word(trial.random, 8) + "\n"};
    std::string prefixes[2];
    Client client(trial.server);
    for (int i = 0; i < 2; ++i) {
        const std::string line = client.send(texts[i]).line("an answer");
        if (!line.ends_with(texts[i])) return;
        prefixes[i] = line.substr(0, line.size() - texts[i].size());
    }
    if (prefixes[0] == prefixes[1]) trial.server.note_prefix(prefixes[0]);
}

void line_after_line(Trial& trial) {
    Client client(trial.server);
    for (const std::string word : {"one", "two", "three"}) {
        client.send(word + "\n").expect(echo(word + "\n"), "A connection is served until the client closes it.");
    }
}

void empty_line(Trial& trial) {
    Client client(trial.server);
    client.send("\n").expect("ECHO \n", "An empty line is a line too; only recv() returning 0 bytes is the end.");
    client.send("more\n").expect("ECHO more\n");
}

void lines_in_one_write(Trial& trial) {
    Client client(trial.server);
    client.send("one\ntwo\nthree\n").expect("ECHO one\nECHO two\nECHO three\n", takes_a_read_for_a_line);
}

void split_line(Trial& trial) {
    Client client(trial.server);
    const std::string text = word(trial.random, 5) + "\n" + word(trial.random, 4) + "\n";
    for (std::size_t split = 1; split < text.size(); ++split) {
        const std::string head = text.substr(0, split);
        const std::string whole_lines = head.substr(0, head.rfind('\n') + 1);
        client.send(head);
        client.expect(echo(whole_lines));
        trial.server.sleep(trial.server.patience().pause());
        if (client.has_news({})) client.expect_silence("the line feed has not come yet", takes_a_read_for_a_line);
        client.send(text.substr(split)).expect(echo(text).substr(echo(whole_lines).size()), takes_a_read_for_a_line);
    }
}

void byte_by_byte(Trial& trial) {
    Client client(trial.server);
    const std::string letters = word(trial.random, 16);
    for (const char letter : letters) {
        client.send(std::string(1, letter));
        trial.server.sleep(trial.server.patience().pause() / 3);
        if (client.has_news({})) client.expect_silence("the line feed has not come yet", takes_a_read_for_a_line);
    }
    client.send("\n").expect(echo(letters + "\n"), takes_a_read_for_a_line);
}

void pieces(Trial& trial) {
    Client client(trial.server);
    const std::string text = numbered_lines(trial.random, 300, 200);
    client.exchange(text, echo(text), sizes(trial.random, 500));
}

void long_line(Trial& trial) {
    Client client(trial.server);
    const std::string line = word(trial.random, 10'000) + "\n";
    client.exchange(line, echo(line), [&] { return line.size(); });
    client.send("short\n").expect("ECHO short\n");
}

/// What a line is not to be taken for: each of these texts comes back as it is.
void text_as_it_is(Trial& trial) {
    Client client(trial.server);
    for (const auto& [text, hint] : {
             std::pair("  two  words \t\n",
                       "Blanks belong to the line, at its ends, too: take off its line feed, and no more."),
             std::pair("100% %d %x %s\n", "What a client sends is data, never a format: printf(\"%s\", line)."),
             std::pair("C:\\temp\\new \"quoted\" 'too' $HOME\n",
                       "A backslash, a quote and a dollar are signs like any other; nothing is to be replaced."),
         }) {
        client.send(text).expect(echo(text), hint);
    }
}

void bytes(Trial& trial) {
    Client client(trial.server);
    // All bytes but those that mean something to telnet or to lines: LF, CR, and 255.
    std::string all;
    for (int byte = 0; byte < 255; ++byte) {
        if (byte != '\n' && byte != '\r') all += static_cast<char>(byte);
    }
    std::shuffle(all.begin(), all.end(), trial.random);
    for (const auto& text : {std::string("a\0b\n", 4), std::string("na\xc3\xafve \xe2\x82\xac\n"),
                             std::string("not \x80 UTF-8 \xc3\n"), all + "\n"}) {
        client.send(text).expect(echo(text),
                                 "Lines are bytes here: a string that ends at NUL, or that must be UTF-8, loses some.");
    }
}

void half_close(Trial& trial) {
    Client client(trial.server);
    client.send("hello\n");
    client.half_close();
    client.expect("ECHO hello\n", "The end of what the client says is not the end of what it hears.");
    client.expect_end("When recv() returns 0 the client has finished: answer what is left, and close.");
}

/// What ends the answer to a last line that no line feed ends: nothing, or the server's own end of a line.
std::string end_of_unfinished_answer(Trial& trial) {
    Client client(trial.server);
    client.send("one\ntwo");
    client.half_close();
    client.expect("ECHO one\nECHO two",
                  "What stands in the buffer when the client has finished is its last line, though no line feed came.");
    const std::string end = client.rest(1 << 10, "When recv() returns 0 the client has finished: answer, and close.");
    if (end != "" && end != "\n" && end != "\r\n") {
        client.fail(Wrong("nothing behind the answer to the last line, but the end of that line", in_quotes(end)));
    }
    client.expect_end();
    return end;
}

void unfinished_line(Trial& trial) {
    end_of_unfinished_answer(trial);
}

void last_line_as_it_was(Trial& trial) {
    const std::string end = end_of_unfinished_answer(trial);
    if (end.empty()) return;
    throw Wrong("\"ECHO one\\nECHO two\", and the end", in_quotes("ECHO one\nECHO two" + end) + ", and the end",
                "An answer ends as its line did; this line had no line feed, so its answer has none, either.");
}

void everything_before_the_end(Trial& trial) {
    Client client(trial.server);
    const std::string text = numbered_lines(trial.random, 2000, 100);
    const std::string expected = echo(text);
    // All but the last reply, so that the rest is still on its way when the client has finished.
    client.exchange(text, expected.substr(0, expected.size() / 2), sizes(trial.random, 4096));
    client.half_close();
    trial.server.sleep(trial.server.patience().pause());
    client.expect(expected.substr(expected.size() / 2), "Lines that have come before the end are answered after it.");
    client.expect_end();
}

/// How many descriptors all its processes have open; nothing where we may not look.
std::optional<std::size_t> open_descriptors(Server& server) {
    std::size_t number = 0;
    for (const pid_t pid : server.processes()) {
        std::error_code not_allowed;
        const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd", not_allowed);
        if (not_allowed == std::errc::permission_denied) return {};
        if (!not_allowed) number += static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }
    return number;
}

void closes_what_it_opened(Trial& trial) {
    auto& server = trial.server;
    if (!server.is_ours()) throw NotPossible("needs a server that the grader has started: grade STAGE -- COMMAND");
    constexpr std::size_t visitors = 50;
    constexpr milliseconds look_again{10};
    expect_served(server, "A start");  // what is opened for the first client may stay
    const auto before = open_descriptors(server);
    if (!before) throw NotPossible("it does not let us look at its descriptors");
    for (std::size_t i = 0; i < visitors; ++i) {
        Client client(server);
        client.send("hello\n").expect("ECHO hello\n");
        if (i % 2 == 0) client.half_close();
        if (i % 2 == 0) client.expect_end();
    }
    auto now = open_descriptors(server);
    const auto is_much = [&] { return now && *now > *before + visitors / 2; };
    for (const auto deadline = Clock::now() + server.patience().reply(); is_much() && Clock::now() < deadline;) {
        server.sleep(look_again);
        now = open_descriptors(server);
    }
    if (!is_much()) return;
    throw Wrong("about as many open descriptors after " + std::to_string(visitors) +
                    " clients as before: " + std::to_string(*before),
                std::to_string(*now) + " are open, though all the clients have gone",
                "shutdown() is not close(): each accepted socket is a descriptor, and a process has only so many.");
}

void next_client(Trial& trial) {
    for (int i = 1; i <= 5; ++i) {
        Client client(trial.server);
        const std::string line = "client " + std::to_string(i) + "\n";
        client.send(line).expect(echo(line), "After one client has left, the next one is accepted: for ever.");
    }
}

void connect_and_leave(Trial& trial) {
    constexpr int visitors = 50;
    constexpr int bearable = 10;  // that find its queue full, and wait for a second: burst asks for those
    for (int i = 0, ignored = 0; i < visitors && ignored < bearable; ++i) {
        Client client(trial.server);
        if (i % 2 == 0) client.send("hel");
        if (client.was_ignored()) ++ignored;
    }
    expect_served(trial.server, "Clients that came and left without a line");
}

void reset(Trial& trial) {
    for (int i = 0; i < 5; ++i) {
        Client client(trial.server);
        client.send(i % 2 == 0 ? "half a li" : "hello\n");
        if (i % 2 != 0) client.expect("ECHO hello\n");
        client.reset();
        trial.server.settle();
        expect_served(trial.server, "A client that reset its connection (ECONNRESET is one client's error)");
    }
    // Its replies meet a connection that is gone: the first of them is answered by a reset, the next one is EPIPE.
    for (int i = 0; i < 3; ++i) {
        Client client(trial.server);
        std::string many;
        for (int line = 0; line < 200; ++line) many += "you never hear the answer\n";
        client.send(many);
        client.reset();
        trial.server.settle();
        expect_served(trial.server, "A client that left while it was written to (EPIPE, SIGPIPE: one client's error)");
    }
}

std::string why_late_answers_are_wrong(const Client& client, const Wrong& wrong) {
    if (client.has_ended()) {
        return "The connection has ended because its client did not read: that a write takes nothing (EAGAIN), or a "
               "part, is no error. Keep the rest, and write it when the client reads.";
    }
    if (wrong.pointer.empty()) {
        return "The answers that could not be written (EAGAIN) were thrown away, or nobody has noticed that the client "
               "reads again: keep them, and write when the connection can be written to.";
    }
    return "A write takes what fits, and returns how much that was: keep the rest, and write it before the next "
           "answer. "
           "What was written already must not be written again.";
}

void late_reader(Trial& trial) {
    Client client(trial.server, {.receive_buffer = 64 << 10, .send_buffer = 512 << 10, .segment = 0, .within = {}});
    constexpr std::size_t limit = 8 << 20;
    const std::string text = numbered_lines(trial.random, 1000, 1000);
    try {
        const std::string sent = send_until_stuck(trial.server, client, text, limit);
        client.exchange("\n", echo(sent + "\n"), [] { return 1; });  // finishes the last line
    } catch (Wrong& wrong) {
        wrong.sent = "numbered lines, until the server read no more; and then, with the answers being read, \"\\n\"";
        wrong.hint = why_late_answers_are_wrong(client, wrong);
        throw;
    }
}

/// The answers to 4 MB are more than the kernel takes: some are still the server's own when the client has finished.
void answers_that_wait(Trial& trial) {
    Client client(trial.server, {.receive_buffer = 4 << 10, .send_buffer = 512 << 10, .segment = 536, .within = {}});
    constexpr std::size_t limit = 4 << 20;
    const std::string sent = send_until_stuck(trial.server, client, lines(trial.random, 1000, 1000), limit);
    client.half_close();
    trial.server.sleep(trial.server.patience().pause());
    client.widen(1 << 20);
    try {
        client.exchange("", echo(sent), [] { return 1; });
    } catch (Wrong& wrong) {
        wrong.hint =
            "The client has finished, and reads slowly: answers that could not be written yet are still owed. Close "
            "when "
            "the last one is written, not when recv() returns 0.";
        throw;
    }
    const std::string end = client.rest(1 << 10);
    if (end != "" && end != "\n" && end != "\r\n") client.fail(Wrong("nothing more, and the end", in_quotes(end)));
    client.expect_end();
}

}  // namespace

std::vector<Step> line_steps() {
    using enum Step::Weight;
    using enum Step::Needs;
    return {
        {"first_answer", every_stage, required, nothing, "printf 'hello\\n' | nc HOST PORT",
         "It is the whole service: a line comes, and \"ECHO \" with the same line goes back. Who says something else "
         "there fails here, and is asked the rest with that.",
         "docs/01_naive.md", first_answer, learn_prefix},
        {"line_after_line", every_stage, required, nothing, "nc HOST PORT, then one, two, three, each with Enter",
         "A session is a loop: while a line comes, answer it.", "docs/01_naive.md", line_after_line},
        {"empty_line", every_stage, required, nothing, "nc HOST PORT, then Enter alone, then more",
         "People press Enter to see whether anybody is there. No text is not the end of the stream.",
         "docs/01_naive.md; recv(2), about the return value 0", empty_line},
        {"lines_in_one_write", every_stage, required, nothing, "printf 'one\\ntwo\\nthree\\n' | nc HOST PORT",
         "TCP carries a stream of bytes and keeps no record of who wrote how much at once. One read may bring three "
         "lines.",
         "docs/01_naive.md; common/net/packet.hpp", lines_in_one_write},
        {"split_line", every_stage, required, nothing, "(printf 'hel'; sleep 1; printf 'lo\\n') | nc HOST PORT",
         "One line may arrive in two reads, split anywhere: networks do that, and so does telnet's user.",
         "docs/01_naive.md; common/net/packet.hpp", split_line},
        {"byte_by_byte", every_stage, required, nothing,
         "for c in h e l l o '\\n'; do printf $c; sleep 0.1; done | nc HOST PORT",
         "A slow writer is a client like any other: only the line feed makes it a line.",
         "docs/01_naive.md; common/net/packet.hpp", byte_by_byte},
        {"pieces", every_stage, required, nothing,
         "300 random lines, written in random pieces from 1 to 500 bytes, while the answers are read",
         "Splitting and joining happen together in life, and small mistakes in a buffer show only then.",
         "common/net/packet.hpp", pieces},
        {"long_line", every_stage, required, nothing,
         "(head -c 10000 /dev/zero | tr '\\0' x; echo; echo short) | nc HOST PORT",
         "A line may be longer than the buffer of one recv(); no byte of it may be lost, and none be answered twice.",
         "docs/01_naive.md", long_line},
        {"text_as_it_is", every_stage, required, nothing,
         R"(nc HOST PORT, then "  two  words ", then 100% %d %x %s, then C:\temp\new)",
         "Libraries like to be helpful: they strip, format, unescape. An echo does none of it.", "docs/01_naive.md",
         text_as_it_is},
        {"bytes", every_stage, required, nothing, "printf 'a\\0b\\nnot \\200 UTF-8 \\303\\n' | nc HOST PORT | xxd",
         "Not everything that a client sends is text, and not all text is UTF-8. What came is what goes back. (255 is "
         "not "
         "asked here: it begins telnet's commands, and telnet_commands is advice.)",
         "docs/01_naive.md", bytes},
        {"half_close", every_stage, required, nothing, "printf 'hello\\n' | nc -N HOST PORT",
         "nc -N closes its sending half at the end of its input, and waits for the answers. A server that forgets to "
         "close keeps it, and a descriptor of its own, for ever.",
         "docs/01_naive.md; shutdown(2)", half_close},
        {"unfinished_line", every_stage, required, nothing, "printf 'one\\ntwo' | nc -N HOST PORT",
         "Files end without a line feed, and people close terminals. The last line is lost if only line feeds count. "
         "Its "
         "answer may end with a line feed or without one.",
         "docs/01_naive.md", unfinished_line},
        {"last_line_as_it_was", every_stage, advice, nothing, "printf 'one\\ntwo' | nc -N HOST PORT | xxd",
         "The answer's ending is the line's own; a last line without a line feed is answered without one, so that what "
         "comes back has as many line feeds as what was sent.",
         "docs/01_naive.md", last_line_as_it_was},
        {"everything_before_the_end", every_stage, required, nothing,
         "seq -f 'line %g' 2000 | nc -N HOST PORT | wc -l, with a pipe that is read slowly",
         "The client says it has finished long before it has read everything. Every pending reply is owed.",
         "docs/01_naive.md", everything_before_the_end},
        {"closes_what_it_opened", every_stage, advice, nothing,
         "ls /proc/PID/fd | wc -l, before and after fifty times echo hello | nc -N HOST PORT",
         "A descriptor that is left open is lost until the end: after a thousand clients accept() fails.",
         "docs/01_naive.md; close(2)", closes_what_it_opened},
        {"next_client", every_stage, required, nothing, "for i in 1 2 3 4 5; do echo client $i | nc -N HOST PORT; done",
         "A server outlives its clients: accept() stands in a loop.", "docs/01_naive.md", next_client},
    };
}

std::vector<Step> bad_client_steps() {
    using enum Step::Weight;
    using enum Step::Needs;
    return {
        {"connect_and_leave", every_stage, required, nothing, "for i in $(seq 50); do nc -z HOST PORT; done",
         "Port scanners, health checks and nervous people connect and leave, some in the middle of a line.",
         "docs/01_naive.md", connect_and_leave},
        {"reset", every_stage, required, nothing,
         "a client that leaves with SO_LINGER 0, in the middle of a line, and in the middle of the answers",
         "A crashed client, or one behind a broken network, resets its connection. That ends its session and nothing "
         "else; SIGPIPE, left alone, ends the whole process.",
         "docs/01_naive.md; send(2), MSG_NOSIGNAL", reset},
        {"late_reader", every_stage, required, nothing,
         "a client that writes until the server stops reading, and reads only then",
         "When the client does not read, the kernel's buffers fill and a write does less than it was asked to, or "
         "nothing (EAGAIN). What was not written is still owed.",
         "docs/02_thread_per_client.md; send(2)", late_reader},
        {"answers_that_wait", every_stage, required, nothing,
         "4 MB of lines through nc -N HOST PORT, with a pipe that is read late",
         "The kernel takes some of the answers, and the rest waits in the server. That the client has finished does "
         "not "
         "mean that it has read.",
         "docs/02_thread_per_client.md; shutdown(2)", answers_that_wait},
    };
}

}  // namespace grade
