// Line mode: endings, and telnet's commands among the text.

#include "stages/stage.hpp"

namespace stages {
namespace {

class Lines : public EveryStage {};
INSTANTIATE_TEST_SUITE_P(Stage, Lines, testing::Values(naive, thread_per_client, acceptor_pool), name_of);

/// What is sent, and what comes back.
struct Talk {
    std::string sent, expected;
};

const std::vector<Talk> talks{
    // Endings: each line is answered with its own.
    {"hello\r\n", "ECHO hello\r\n"},
    {"hello\n", "ECHO hello\n"},
    {"hello\r\0"s, "ECHO hello\r\n"},
    {"\r\n", "ECHO \r\n"},
    {"\n", "ECHO \n"},
    {"a\rb\n", "ECHO a\rb\n"},
    {"a\r\r\n", "ECHO a\r\r\n"},
    {"one\r\0two\r\nthree\n"s, "ECHO one\r\nECHO two\r\nECHO three\n"},
    // Any byte is text, NUL too where no CR is before it.
    {"a\0b\x1b[31m\x04\x80\xfe\n"s, "ECHO a\0b\x1b[31m\x04\x80\xfe\n"s},
    {"Привет\n", "ECHO Привет\n"},
    // IAC IAC is the byte 255, and doubled again on the way back.
    {"a\xff\xff"
     "b\n",
     "ECHO a\xff\xff"
     "b\n"},
    // Commands vanish: NOP, are you there, erase character.
    {"he\xff\xf1l\xff\xf6lo\xff\xf7\r\n", "ECHO hello\r\n"},
    // Options are refused, before the replies to what came with them; refusals (DONT, WONT) are not answered.
    {"\xff\xfd\x01hello\r\n",
     "\xff\xfc\x01"
     "ECHO hello\r\n"},
    {"\xff\xfb\x1fhello\r\n",
     "\xff\xfe\x1f"
     "ECHO hello\r\n"},
    {"\xff\xfe\x01\xff\xfc\x03hello\r\n", "ECHO hello\r\n"},
    {"one\n\xff\xfd\x01two\n",
     "\xff\xfc\x01"
     "ECHO one\nECHO two\n"},
    // What telnet sends at ^C and at ^\: interrupt or break, then DO TIMING-MARK, which it waits for.
    {"\xff\xf4\xff\xfd\x06hello\r\n",
     "\xff\xfc\x06"
     "ECHO hello\r\n"},
    {"\xff\xf3\xff\xfd\x06hello\r\n",
     "\xff\xfc\x06"
     "ECHO hello\r\n"},
    // A subnegotiation (here: window size), with a line feed and a doubled 255 inside.
    {"\xff\xfa\x1f\0\n\xff\xff\0\xff\xf0hello\r\n"s, "ECHO hello\r\n"},
    // CR NUL with a command between its halves.
    {"hello\r\xff\xf1\0"s, "ECHO hello\r\n"},
};

/// The refusals first, and then the text: where in the text they come depends on what one read has brought.
std::string refusals_first(const std::string& bytes) {
    std::string refusals, text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const bool is_refusal = bytes[i] == '\xff' && (bytes[i + 1] == '\xfc' || bytes[i + 1] == '\xfe');
        (is_refusal ? refusals : text) += bytes.substr(i, is_refusal ? 3 : 1);
        if (is_refusal) i += 2;
    }
    return refusals + text;
}

TEST_P(Lines, AreAnsweredWithTheirOwnEndingAndWithoutTelnetsCommands) {
    const Server server(stage());
    Client client(server.port());
    for (const auto& [sent, expected] : talks) {
        SCOPED_TRACE(testing::PrintToString(sent));
        client.send(sent);
        EXPECT_EQ(client.recv_exactly(expected.size()), expected);
        client.expect_silence(0ms);
    }
    client.half_close();
    EXPECT_EQ(client.recv_until_close(), "");
}

TEST_P(Lines, AreTheSameWhereverTheyAreSplit) {
    const Server server(stage(), {"--log", "quiet"});
    Client client(server.port());
    for (const auto& [sent, expected] : talks) {
        for (std::size_t split = 0; split <= sent.size(); ++split) {
            SCOPED_TRACE(testing::PrintToString(sent) + " split at " + std::to_string(split));
            client.send("ready\n" + sent.substr(0, split));
            // That the first part was read is seen when as much has come as "ready" alone would bring.
            std::string got = client.recv_exactly(11);
            client.send(sent.substr(split));
            got += client.recv_exactly(expected.size());
            EXPECT_EQ(refusals_first(got), refusals_first("ECHO ready\n" + expected));
        }
    }
}

TEST_P(Lines, ATimingMarkIsAnsweredWithoutWaitingForALine) {
    const Server server(stage());
    Client client(server.port());
    client.send("\xff\xf4\xff\xfd\x06");
    EXPECT_EQ(client.recv_exactly(3), "\xff\xfc\x06");
}

TEST_P(Lines, ASubnegotiationThatNeverEndsDoesNotSwallowTheRest) {
    const Server server(stage());
    Client client(server.port());
    client.send("\xff\xfa\x1f" + std::string(1000, 'x') + "\n");
    EXPECT_THAT(client.recv_line(), StartsWith("ECHO x"));
    expect_served(client);
}

TEST_P(Lines, ALimitCountsTheTextWithoutItsEnding) {
    const Server server(stage(), {"--max-packet", "100"});
    Client client(server.port());
    const std::string longest(100, 'x');
    for (const auto& ending : {"\n"s, "\r\n"s, "\r\0"s}) {
        client.send(longest + ending);
        EXPECT_EQ(client.recv_line(), "ECHO " + longest + (ending == "\n" ? "\n" : "\r\n"));
    }
}

}  // namespace
}  // namespace stages
