// The program: what it prints, how it and its server end, what the kernel tells it, and the web server for the page.

#include "observer/observed.hpp"

#include "support/terminal.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace observed {
namespace {

using namespace std::chrono_literals;
using support::exited;
using support::killed_by;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

void say(Client& client, const std::string& line) {
    client.send(line + "\r\n");
    EXPECT_EQ(client.recv_line(), "ECHO " + line + "\r\n");
}

// ---- the program ----------------------------------------------------------------------------------------------------

TEST(Observer, PrintsItsAddressAndThenTheServersStoryAsIfNobodyLooked) {
    Observed observed("01_naive");
    {
        Client client(observed.server_port());
        say(client, "hello");
    }
    observed.wait_for_line("server connection closed");
    const auto lines = observed.lines();
    EXPECT_THAT(lines.at(0), testing::MatchesRegex("Observing on http://127.0.0.1:[0-9]+/"));
    EXPECT_THAT(lines.at(1), StartsWith("Listening on 127.0.0.1:"));
    EXPECT_THAT(lines.at(2), StartsWith("server started with pid "));
    EXPECT_THAT(lines, testing::Contains("server got data from client hello"));
    for (const auto& line : lines) EXPECT_THAT(line, Not(StartsWith("{")));
}

TEST(Observer, EndsWithItsServerWhichEndsInOrder) {
    Observed observed("03_acceptor_pool");
    Client client(observed.server_port());
    say(client, "hello");
    client.send("one\r\ntwo\r\nthree");
    client.half_close();
    observed.signal(SIGTERM);
    EXPECT_THAT(client.recv_until_close(), HasSubstr("ECHO three")) << "what was asked is answered";
    EXPECT_EQ(observed.wait_exit(), exited(0));
    EXPECT_THAT(observed.lines().back(), "server stopped");
}

TEST(Observer, PassesOnHowTheServerEnded) {
    Observed observed("02_thread_per_client", {"--faults"});
    Client client(observed.server_port());
    client.send("!exit 7\r\n");
    EXPECT_EQ(observed.wait_for("/server/state", "ended"), "ended");
    EXPECT_EQ(observed.picture().at("server").at("how_it_ended"), "with exit status 7");
    observed.signal(SIGINT);
    EXPECT_EQ(observed.wait_exit(), exited(7));
}

TEST(Observer, OutlivesACrashAndShowsWhoWasThere) {
    Observed observed("03_acceptor_pool", {"--faults"});
    Client bystander(observed.server_port()), client(observed.server_port());
    say(bystander, "good morning");
    say(client, "hello");
    client.send("!segv\r\n");
    EXPECT_EQ(observed.wait_for("/server/state", "ended"), "ended");
    const auto picture = observed.picture();
    EXPECT_EQ(picture.at("server").at("how_it_ended"), "by signal SEGV");
    EXPECT_EQ(picture.at("clients").at("now"), 0);
    ASSERT_EQ(picture.at("clients").at("gone").as_array().size(), 2u);
    for (const auto& gone : picture.at("clients").at("gone").as_array()) {
        EXPECT_EQ(gone.at("why"), "went with the server: by signal SEGV");
    }
    EXPECT_TRUE(support::eventually([&] { return observed.errors().find("by signal SEGV") != std::string::npos; }));
    observed.signal(SIGTERM);
    EXPECT_EQ(observed.wait_exit(), exited(128 + SIGSEGV));
}

/// Fills the connection of a client that reads nothing, of a server that echoes raw bytes.
void fill(Client& client) {
    const std::string much(1 << 16, 'x');
    while (client.wait_until_it_takes_more(300ms)) client.send_some(much);
}

/// What a client is owed when the server is told to end, it still gets.
class OwedMuch : public testing::Test {
protected:
    OwedMuch() : client(observed.server_port(), {.receive_buffer = 4096}) {
        fill(client);
        observed.wait_for("/clients/shown/0/state", "does not read");
        owed = observed.picture().at("clients").at("shown").at(0).at("behind").as_int64();
    }
    void expect_everything() {
        EXPECT_TRUE(support::eventually([&] { return support::refuses_clients(observed.server_port()); }))
            << "it accepts no more";
        client.half_close();
        EXPECT_GT(owed, 0);
        EXPECT_GT(client.recv_until_close().size(), static_cast<std::size_t>(owed)) << "and no reset";
    }

    Observed observed{"03_acceptor_pool", {"--packet", "raw", "--shutdown-timeout", "60"}};
    Client client;
    std::int64_t owed = 0;
};

TEST_F(OwedMuch, WhenTheObserverIsToldToEnd) {
    observed.signal(SIGTERM);
    expect_everything();
    EXPECT_EQ(observed.wait_exit(), exited(0));
}

TEST_F(OwedMuch, WhenTheObserverIsKilled) {
    observed.signal(SIGKILL);
    EXPECT_EQ(observed.process().wait_exit(), killed_by(SIGKILL));
    expect_everything();
}

TEST(Observer, CtrlCEndsBothInOrder) {
    support::Terminal terminal(
        {{support::path_of("observer"), "--port", "0", "--", support::path_of("03_acceptor_pool"), "--port", "0"}});
    const auto port = port_in(terminal.wait_for_match("Listening on 127.0.0.1:[0-9]+"));
    terminal.wait_for("acceptor 1 waits for client");
    Client client(port);
    say(client, "hello");
    client.send("one\r\ntwo");
    client.half_close();
    terminal.press_ctrl('C');
    EXPECT_EQ(client.recv_until_close(), "ECHO one\r\nECHO two");
    EXPECT_EQ(terminal.wait_exit(), exited(0));
    const auto story = terminal.transcript();
    EXPECT_THAT(story, HasSubstr("server stopped"));
    EXPECT_EQ(story.find("stops accepting", story.find("stops accepting") + 1), story.npos) << "once, not twice";
}

/// Whoever is not told to end shows for how long as it is wanted what has happened.
TEST(Observer, ThePageStaysWhenTheServerHasEndedAsItShould) {
    Observed observed("01_naive", {}, {});
    const auto pid = observed.wait_until("/server/pid", [](const json::value& seen) { return seen != ""; });
    ::kill(static_cast<pid_t>(std::stol(std::string(pid.as_string()))), SIGTERM);
    observed.wait_for("/server/state", "ended");
    EXPECT_EQ(observed.picture().at("server").at("how_it_ended"), "by signal TERM");
    observed.signal(SIGTERM);
    EXPECT_EQ(observed.wait_exit(), exited(128 + SIGTERM));
}

TEST(Observer, WhoKillsItDoesNotLeaveTheServerBehind) {
    auto observed = std::make_unique<Observed>("01_naive");
    const auto port = observed->server_port();
    observed->signal(SIGKILL);
    EXPECT_EQ(observed->wait_exit(), killed_by(SIGKILL));
    EXPECT_TRUE(support::eventually([&] { return support::refuses_clients(port); }));
}

TEST(Observer, SaysInOneLineWhatCannotBe) {
    const auto run = [](std::vector<std::string> words) {
        words.insert(words.begin(), support::path_of("observer"));
        return support::run_to_end({words});
    };
    const auto nothing = run({});
    EXPECT_EQ(nothing.exit, exited(2));
    EXPECT_THAT(nothing.errors, HasSubstr("what is to be observed?"));
    EXPECT_EQ(run({"--port", "99999", "--", "true"}).exit, exited(2));
    const auto elsewhere = run({"--host", "192.0.2.1", "--", "true"});
    EXPECT_EQ(elsewhere.exit, exited(1));
    EXPECT_THAT(elsewhere.errors, HasSubstr("127.0.0.1 and ::1 are allowed"));
    const auto missing = run({"--port", "0", "--", "/no/such/program"});
    EXPECT_EQ(missing.exit, exited(1));
    EXPECT_THAT(missing.errors, HasSubstr("/no/such/program"));
    const Observed first("01_naive");
    const auto taken = run({"--port", std::to_string(first.page_port()), "--", "true"});
    EXPECT_EQ(taken.exit, exited(1));
    EXPECT_THAT(taken.errors, HasSubstr("address already in use"));
}

// ---- what the kernel knows ------------------------------------------------------------------------------------------

TEST(Observer, AtTheDoorOfTheNaiveServerFourWaitWithWhatTheySaid) {
    Observed observed("01_naive");
    Client served(observed.server_port());
    say(served, "hello");
    std::vector<std::unique_ptr<Client>> others;
    for (int i = 0; i < 4; ++i) {
        others.push_back(std::make_unique<Client>(observed.server_port()));
        others.back()->send("me too\r\n");
    }
    EXPECT_EQ(observed.wait_for("/door/waits", 4), 4);
    EXPECT_EQ(observed.wait_for("/door/waiting_unread", 32), 32);
    const auto door = observed.picture().at("door");
    EXPECT_EQ(door.at("accepted"), 1);
    const auto waiting = json::serialize(door.at("waiting"));
    for (const auto& other : others) EXPECT_THAT(waiting, HasSubstr(other->name()));
    served.close();
    EXPECT_EQ(observed.wait_for("/door/waits", 3), 3);
}

TEST(Observer, ThreadsHaveNamesAndAClientIsOne) {
    Observed observed("02_thread_per_client");
    Client first(observed.server_port()), second(observed.server_port());
    say(first, "hello");
    say(second, "hello");
    const auto threads = observed.wait_until("/processes/shown/0/threads", [](const json::value& seen) {
        return json::serialize(seen).find("client 2") != std::string::npos;
    });
    const auto names = json::serialize(threads);
    EXPECT_THAT(names, HasSubstr(R"("name":"acceptor 1")"));
    EXPECT_THAT(names, HasSubstr(R"("name":"client 1")"));
    EXPECT_THAT(names, HasSubstr(R"("name":"client 2")"));
    const auto process = observed.picture().at("processes").at("shown").at(0);
    EXPECT_EQ(process.at("thread_count"), threads.as_array().size());
    EXPECT_GT(process.at("descriptors").as_int64(), 4) << "the story, two clients, the listening socket";
    EXPECT_GT(process.at("memory").as_int64(), 1'000'000);
}

TEST(Observer, WhoDoesNotReadHasBytesUnsent) {
    Observed observed("02_thread_per_client", {"--packet", "raw"});
    Client slow(observed.server_port(), {.receive_buffer = 4096});
    fill(slow);
    const auto unsent = observed.wait_until(
        "/clients/shown/0/unsent", [](const json::value& seen) { return seen.is_int64() && seen.get_int64() > 0; });
    ASSERT_TRUE(unsent.is_int64());
    EXPECT_GT(unsent.get_int64(), 0);
}

TEST(Observer, WhoIsToReadFirstIsSeen) {
    Observed observed("03_acceptor_pool", {"--packet", "raw"});
    Client slow(observed.server_port(), {.receive_buffer = 4096});
    fill(slow);
    EXPECT_EQ(observed.wait_for("/clients/shown/0/state", "does not read"), "does not read");
    EXPECT_GT(observed.picture().at("clients").at("shown").at(0).at("behind").as_int64(), 0);
    slow.half_close();
    slow.recv_until_close();
    EXPECT_EQ(observed.wait_for("/clients/now", 0), 0);
}

// ---- stage 04 -------------------------------------------------------------------------------------------------------

TEST(Observer, AWorkerDiesAndComesBack) {
    Observed observed("04_supervised", {"--faults", "--workers", "2"});
    EXPECT_TRUE(support::eventually([&] {
        const auto tree = json::serialize(observed.picture().at("tree"));
        return tree.find("worker-2") != std::string::npos && tree.find("acceptor-8") != std::string::npos;
    })) << json::serialize(observed.picture().at("tree"));
    Client client(observed.server_port());
    say(client, "hello");
    client.send("!abort\r\n");
    EXPECT_EQ(observed.wait_for("/restarts/0/within", 1), 1);
    EXPECT_EQ(observed.wait_for("/clients/went", 1), 1);
    EXPECT_THAT(json::serialize(observed.picture().at("tree")), HasSubstr(R"("reason":"SIGABRT")"));
    EXPECT_EQ(observed.picture().at("restarts").at(0).at("intensity"), 3);
    const auto heartbeats = observed.wait_until(
        "/heartbeats", [](const json::value& seen) { return seen.is_array() && seen.get_array().size() == 2; });
    EXPECT_EQ(heartbeats.at(0).at("limit_ms"), 2000);
}

// ---- the web server -------------------------------------------------------------------------------------------------

class Web : public testing::Test {
protected:
    Answer from(const std::string& host) { return get(observed.page_port(), "/picture", host); }
    Observed observed{"01_naive"};
};

TEST_F(Web, ThePageIsOneFileThatMayLoadNothingElse) {
    const auto page = get(observed.page_port(), "/");
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.head, HasSubstr("Content-Type: text/html; charset=utf-8"));
    EXPECT_THAT(page.head, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page.body, Not(HasSubstr("@NONCE@")));
    EXPECT_THAT(page.body, Not(HasSubstr("src=\"http")));
    const auto nonce = page.body.substr(page.body.find("nonce=\"") + 7, 32);
    EXPECT_THAT(page.head, HasSubstr("script-src 'nonce-" + nonce + "'"));
    EXPECT_THAT(get(observed.page_port(), "/").head, Not(HasSubstr(nonce))) << "another one each time";
}

TEST_F(Web, OnlyThisComputersOwnNamesAreAnswered) {
    for (const auto* const host : {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080"}) {
        EXPECT_EQ(from(host).status, 200) << host;
    }
    for (const auto* const host :
         {"", "example.org", "localhost.example.org", "127.0.0.1.example.org", "[::2]", "192.0.2.1"}) {
        EXPECT_EQ(from(host).status, 403) << host;
    }
    EXPECT_EQ(ask(observed.page_port(), "GET /picture HTTP/1.0\r\n\r\n").status, 403) << "no host at all";
    EXPECT_EQ(
        ask(observed.page_port(), "GET /events HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n").status,
        403);
}

TEST_F(Web, ThereIsNothingToDoButLook) {
    for (const std::string method : {"POST", "PUT", "DELETE", "HEAD", "OPTIONS"}) {
        const auto answer = ask(observed.page_port(), method +
                                                          " / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                                          "Content-Length: 3\r\n\r\nabc");
        EXPECT_EQ(answer.status, 405) << method;
    }
    EXPECT_EQ(get(observed.page_port(), "/nothing").status, 404);
    EXPECT_EQ(get(observed.page_port(), "/tutorial/../lab").status, 404);
    EXPECT_EQ(get(observed.page_port(), "/picture?at=-1").status, 400);
}

TEST_F(Web, NonsenseEndsItsConnectionOnly) {
    Client client(observed.page_port());
    client.send("\x16\x03\x01 no HTTP at all\r\n\r\n");
    client.wait_for_end();
    Client endless(observed.page_port());
    endless.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(100'000, 'x'));
    endless.wait_for_end();
    EXPECT_EQ(from("localhost").status, 200);
}

std::string next_picture(Client& client) {
    for (;;) {
        auto line = client.recv_line();
        if (line.starts_with("data: ")) return line.substr(6);
    }
}

std::unique_ptr<Client> open_events(std::uint16_t port) {
    auto client = std::make_unique<Client>(port);
    client->send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return client;
}

TEST_F(Web, PicturesComeAsTheyChangeAndAtMostTenASecond) {
    const auto events = open_events(observed.page_port());
    json::parse(next_picture(*events));
    Client client(observed.server_port());
    const auto begin = std::chrono::steady_clock::now();
    int pictures = 0;
    for (int i = 0; i < 300; ++i) say(client, "hello");
    bool is_seen = false;
    while (!is_seen && ++pictures < 100) {
        const auto picture = json::parse(next_picture(*events));
        is_seen = picture.at("clients").at("came") == 1 && picture.at("clients").at("shown").at(0).at("packets") == 300;
    }
    EXPECT_TRUE(is_seen);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_LE(pictures, 2 + 10 * took.count());
}

TEST_F(Web, ManyPagesAndReloadsAndOneThatNeverReads) {
    const auto never_reads = open_events(observed.page_port());
    for (int i = 0; i < 200; ++i) EXPECT_EQ(get(observed.page_port(), "/").status, 200);
    std::vector<std::unique_ptr<Client>> pages;
    for (int i = 0; i < 20; ++i) pages.push_back(open_events(observed.page_port()));
    Client client(observed.server_port());
    say(client, "hello");
    for (const auto& page : pages) {
        bool is_seen = false;
        for (int i = 0; !is_seen && i < 100; ++i) {
            is_seen = json::parse(next_picture(*page)).at("clients").at("came") == 1;
        }
        EXPECT_TRUE(is_seen);
    }
    const auto before = observed.process().open_descriptors();
    for (const auto& page : pages) page->close();
    EXPECT_TRUE(support::eventually([&] { return observed.process().open_descriptors() <= before - 20; }));
    EXPECT_EQ(from("localhost").status, 200);
}

// ---- much at once --------------------------------------------------------------------------------------------------

/// A story that comes as fast as it is read, while one page reads and another one sleeps.
TEST(Observer, AHundredThousandEventsAreFoldedAndNothingGrows) {
    const std::size_t many = 100'000, clients = 50;
    const auto folder = std::filesystem::temp_directory_path() / ("observer_test." + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    const auto story = (folder / "story.jsonl").string(), gate = (folder / "gate").string();
    {
        std::ofstream file(story);
        for (std::size_t i = 0; i < many; ++i) {
            file << R"({"time":"2026-01-31T12:00:00.000000Z","who":"handler )" << i % clients + 1
                 << R"(","event":"got_data_from_client","data":"hello, hello, hello )" << i << "\"}\n";
        }
    }
    // It begins when the gate is there, and then only stays.
    const auto script = "echo Listening on 127.0.0.1:1; while ! [ -e " + gate + " ]; do sleep 0.05; done; cat " +
                        story + "; exec sleep 600";
    support::Program program({{support::path_of("observer"), "--port", "0", "--", "sh", "-c", script, "sh"}});
    const auto port = port_in(program.wait_for_line("Observing on http://"));
    program.wait_for_line("Listening on");
    const auto page = open_events(port), sleeps = open_events(port);
    next_picture(*page);
    const auto before = program.process().resident_bytes();
    const auto begin = std::chrono::steady_clock::now();
    std::ofstream(gate).put('1');
    std::size_t pictures = 0;
    for (json::value events; events != many + 1;) {
        ++pictures;
        const auto picture = json::parse(next_picture(*page));
        events = picture.at("server").at("events");
        EXPECT_EQ(picture.at("server").at("unreadable"), 0);
        ASSERT_LT(std::chrono::steady_clock::now() - begin, support::patience()) << events;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_LE(static_cast<double>(pictures), 2 + 10 * took.count());
    const auto picture = json::parse(get(port, "/picture").body);
    EXPECT_EQ(picture.at("clients").at("now"), clients);
    EXPECT_EQ(picture.at("clients").at("shown").at(0).at("packets"), many / clients);
    EXPECT_EQ(picture.at("story").at("told"), many + 1);
    constexpr std::size_t most_growth = 16 << 20;  // the story is 12 MB, its text 6
    // A sanitizer keeps for a while what was given back.
    if (!support::sanitized) {
        EXPECT_LT(program.process().resident_bytes(), before + most_growth);
    }
    EXPECT_EQ(program.count_lines("got data from client"), many) << "and all of it was told as text";
    program.signal(SIGTERM);
    program.wait_exit();
    std::filesystem::remove_all(folder);
}

// ---- recordings -----------------------------------------------------------------------------------------------------

class Kept : public testing::Test {
protected:
    Kept()
        : path(std::filesystem::temp_directory_path() / ("observer_test." + std::to_string(::getpid()) + ".jsonl")) {}
    ~Kept() override { std::filesystem::remove(path); }
    std::filesystem::path path;
};

TEST_F(Kept, ARecordingShowsEveryMomentAgain) {
    {
        Observed observed("03_acceptor_pool", {"--faults"}, {"--record", path.string()});
        Client client(observed.server_port());
        say(client, "hello");
        observed.wait_until("/door/accepted", [](const json::value& seen) { return seen == 1; });
        client.send("!segv\r\n");
        observed.wait_for("/server/state", "ended");
        observed.signal(SIGINT);
        observed.wait_exit();
    }
    support::Program replay({{support::path_of("observer"), "--port", "0", path.string()}});
    const auto port = port_in(replay.wait_for_line("Observing on http://"));
    const auto at = [&](std::int64_t time) {
        return json::parse(get(port, "/picture?at=" + std::to_string(time)).body);
    };
    const auto last = at(1'000'000'000'000);
    const auto length = last.at("server").at("recording").at("length").as_int64();
    EXPECT_GT(length, 0);
    EXPECT_EQ(last.at("server").at("how_it_ended"), "by signal SEGV");
    EXPECT_EQ(last.at("clients").at("gone").at(0).at("last"), "!segv");
    EXPECT_EQ(at(0).at("server").at("state"), "starts") << "and back to its beginning";
    const auto before = at(length - 1);
    EXPECT_EQ(before.at("server").at("state"), "serves");
    EXPECT_EQ(before.at("door").at("accepted"), 1);
    EXPECT_EQ(json::serialize(at(length)), json::serialize(at(length)));
    replay.signal(SIGTERM);
    EXPECT_EQ(replay.wait_exit(), exited(0));
}

TEST_F(Kept, WhatIsNoRecordingIsShownAsNothingAndCounted) {
    std::ofstream(path) << std::string(100'000, 'x') << "\n\n{}\n";
    support::Program replay({{support::path_of("observer"), "--port", "0", path.string()}});
    const auto port = port_in(replay.wait_for_line("Observing on http://"));
    EXPECT_EQ(json::parse(get(port, "/picture").body).at("server").at("unreadable"), 3);
    const auto missing = support::run_to_end({{support::path_of("observer"), "--port", "0", "/no/such/file"}});
    EXPECT_EQ(missing.exit, exited(1));
    EXPECT_THAT(missing.errors, HasSubstr("cannot read /no/such/file"));
}

}  // namespace
}  // namespace observed
