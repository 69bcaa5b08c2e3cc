// design of the engine for many machines, by real programs over a real etcd: what people at the doors of several nodes
// see when nodes, members and all of etcd come and go.

#include "05_chat/engine/etcd/codec.hpp"
#include "chat/chat.hpp"
#include "chat/etcd_asker.hpp"

#include <filesystem>
#include <fstream>

#include <stdlib.h>

namespace chat_tests {
namespace {

using etcd_tests::Asker;
using support::Etcd;
using Clock = std::chrono::steady_clock;
using testing::Lt;

/// A node that cannot end well has said why within this: it waits for etcd, or for a name that may become free.
constexpr auto giving_up = 15s;

std::vector<std::string> over(const std::string& urls, const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> options{"--engine", "etcd", "--etcd", urls, "--node-name", name};
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

class Node : public Server {
public:
    Node(const Etcd& etcd, const std::string& name, const std::vector<std::string>& more = {})
        : Server(over(etcd.urls(), name, more)) {}
};

/// 05_chat that must not come up.
support::Finished refused(const std::string& urls, const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--port", "0"});
    std::vector<std::string> words{support::path_of("05_chat")};
    for (const auto& option : over(urls, name, more)) words.push_back(option);
    return support::run_to_end({.words = words}, giving_up);
}

void expect_one_line(const support::Finished& finished, const std::string& part) {
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_THAT(finished.lines, Not(testing::Contains(StartsWith("Listening"))));
    EXPECT_THAT(finished.errors, HasSubstr(part));
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
}

TEST(EtcdChat, PeopleOfTwoNodesAreInOneRoom) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    Node b(etcd, "B");
    Person ann(a, "Ann");
    Person ben(b, "Ben");
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
    ann.chat("Ann", "Hello!");
    EXPECT_EQ(ben.hear(), "Ann says: Hello!");
    ben.chat("Ben", "Hi Ann");
    EXPECT_EQ(ann.hear(), "Ben says: Hi Ann");
    Person other(b);
    other.say("ann");
    EXPECT_THAT(other.hear(), HasSubstr("name is taken"));
    ben.leave();
    EXPECT_EQ(ann.hear(), "Ben has left the room");
}

TEST(EtcdChat, ANewcomerNodeKnowsWhatWasSaid) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    {
        Node a(etcd, "A");
        Node b(etcd, "B");
        Person ann(a, "Ann");
        ann.chat("Ann", "one");
        ann.chat("Ann", "two");
        Node c(etcd, "C");
        Person cid(c);
        cid.say("Cid");
        EXPECT_EQ(cid.hear(), "Ann says: one");
        EXPECT_EQ(cid.hear(), "Ann says: two");
        EXPECT_EQ(cid.hear(), "You are in the room lobby as Cid. /help lists the commands.");
        cid.say("/who");
        EXPECT_THAT(cid.hear(), HasSubstr("Ann"));
    }
}

TEST(EtcdChat, ThePeopleOfANodeThatIsKilledLeaveOnceAndSoon) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    auto b = std::make_unique<Node>(etcd, "B");
    Person ann(a, "Ann");
    Person ben(*b, "Ben");
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
    const auto began = Clock::now();
    b->signal(SIGKILL);
    EXPECT_EQ(ann.hear(), "Ben has left the room (the node B is gone)");
    EXPECT_THAT(Clock::now() - began, Lt(5s * support::time_factor()));
    Person again(a, "Ben");  // the name is free
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
    ann.expect_silence();
    b->wait_exit();
    Node successor(etcd, "B");  // and so is the node's
    Person cid(successor, "Cid");
    EXPECT_EQ(ann.hear(), "Cid has joined the room");
}

TEST(EtcdChat, ANodeThatIsStartedAgainAtOnceDoesNotMeetItsOwnGhost) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    auto b = std::make_unique<Node>(etcd, "B");
    Person ann(a, "Ann");
    Person ben(*b, "Ben");
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
    b->signal(SIGKILL);
    b->wait_exit();
    Node successor(etcd, "B");
    EXPECT_EQ(ann.hear(), "Ben has left the room (the node B is gone)");
    Person back(successor, "Ben");
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
}

TEST(EtcdChat, ThePeopleOfANodeThatIsStoppedLeaveAtOnce) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    Node b(etcd, "B");
    Person ann(a, "Ann");
    Person ben(b, "Ben");
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
    const auto began = Clock::now();
    b.signal(SIGTERM);
    EXPECT_EQ(ann.hear(), "Ben has left the room (the node B is gone)");
    EXPECT_THAT(Clock::now() - began, Lt(2s * support::time_factor()));
    EXPECT_EQ(b.wait_exit(), exited(0));
    ann.expect_silence();
}

TEST(EtcdChat, WhatIsSaidWhileEtcdIsAwayIsKept) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    Node b(etcd, "B");
    Person ann(a, "Ann");
    Person ben(b, "Ben");
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
    ann.chat("Ann", "before");
    EXPECT_EQ(ben.hear(), "Ann says: before");
    etcd.kill();
    ann.say("one");
    EXPECT_THAT(ann.hear(), HasSubstr("what you type waits"));
    etcd.start();
    EXPECT_THAT(ann.hear_up_to("Ann says: one"), Not(testing::Contains(HasSubstr("before"))));
    // Ben's node may have been taken for dead meanwhile: then he is out, and back.
    while (ben.hear() != "Ann says: one") {
    }
    ann.say("two");
    while (ben.hear() != "Ann says: two") {
    }
}

TEST(EtcdChat, ALeaderDiesAndNobodyLosesALine) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd({.members = 3});
    Node a(etcd, "A");
    Node b(etcd, "B");
    Person ann(a, "Ann");
    Person ben(b, "Ben");
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
    etcd.kill(etcd.leader());
    for (int i = 0; i < 20; ++i) ann.say(std::to_string(i));
    std::vector<std::string> heard;
    while (heard.size() < 20) {
        if (const auto line = ben.hear(); line.starts_with("Ann says: ")) heard.push_back(line);
    }
    for (int i = 0; i < 20; ++i) EXPECT_EQ(heard[static_cast<std::size_t>(i)], "Ann says: " + std::to_string(i));
}

TEST(EtcdChat, ANodeThatSleptSaysSoAndComesBack) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    Node b(etcd, "B");
    Person ann(a, "Ann");
    Person ben(b, "Ben");
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
    b.signal(SIGSTOP);
    EXPECT_EQ(ann.hear(), "Ben has left the room (the node B is gone)");
    b.signal(SIGCONT);
    EXPECT_EQ(ann.hear(), "Ben has joined the room");
    ann.chat("Ann", "welcome back");
    const auto heard = ben.hear_up_to("Ann says: welcome back");
    EXPECT_THAT(heard, testing::Contains(HasSubstr("took this one for dead")));
    EXPECT_THAT(heard, Not(testing::Contains(StartsWith("Ben has left"))));
}

TEST(EtcdChat, TheFirstNodesOptionsAreEverybodys) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A", {"--max-line", "20"});
    Node b(etcd, "B", {"--max-line", "10", "--history", "0", "--node-port", "0"});
    EXPECT_THAT(b.wait_for_line("adopts what the first node has chosen"), HasSubstr("max-line 20"));
    Person ben(b, "Ben");
    ben.chat("Ben", "twelve bytes");
    ben.say("more than twenty bytes of text");
    EXPECT_THAT(ben.hear(), HasSubstr("too long"));
    Person cid(b);
    cid.say("Cid");
    EXPECT_EQ(cid.hear(), "Ben says: twelve bytes");
    // Also at the door for nodes.
    Server guest({"--join", "127.0.0.1:" + std::to_string(b.node_port())});
    Person dan(guest, "Dan", 1);
    dan.chat("Dan", "fourteen bytes");
    dan.say("more than twenty bytes of text");
    EXPECT_THAT(dan.hear(), HasSubstr("too long"));
}

TEST(EtcdChat, ANodeThatCouldNotShowTheHistoryIsRefused) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    expect_one_line(refused(etcd.urls(), "B", {"--max-backlog", "500000"}), "--max-backlog: these rooms need 1048576");
}

TEST(EtcdChat, RoomsWithAnotherPrefixAreOtherRooms) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    Node b(etcd, "A", {"--etcd-prefix", "six"});
    Person ann(a, "Ann");
    Person other(b, "Ann");
    ann.chat("Ann", "here");
    other.expect_silence();
}

TEST(EtcdChat, AnotherVersionIsRefused) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    asker.put("five/house", R"({"version":999})");
    expect_one_line(refused(etcd.urls(), "A"), "version 999");
    asker.put("five/house", "something else");
    expect_one_line(refused(etcd.urls(), "A"), "five/house");
}

TEST(EtcdChat, ANameThatAnotherNodeHasIsRefused) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    expect_one_line(refused(etcd.urls(), "A"), "another node is called A");
    Person ann(a, "Ann");
    ann.chat("Ann", "still here");
}

TEST(EtcdChat, WhereThereIsNoEtcdOneLineSaysSo) {
    expect_one_line(refused("http://127.0.0.1:1", "A"), "etcd at http://127.0.0.1:1: connection refused");
    const Server local;
    const std::string url = "http://127.0.0.1:" + std::to_string(local.port());
    expect_one_line(refused(url, "A"), "etcd at " + url + ": it does not speak HTTP");
}

/// The system connects for it, and nobody answers.
TEST(EtcdChat, ItStopsInOrderWhereItWaitsForAnEtcdThatIsSilent) {
    boost::asio::io_context loop;
    net::TcpAcceptor silent(loop, net::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    const std::string url = "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
    std::vector<std::string> words{support::path_of("05_chat"), "--port", "0"};
    for (const auto& option : over(url, "A", {})) words.push_back(option);
    support::Program node({.words = words});
    const auto asking = silent.accept();
    const auto began = Clock::now();
    node.signal(SIGTERM);
    EXPECT_EQ(node.wait_exit(), exited(0));
    EXPECT_THAT(Clock::now() - began, Lt(2s * support::time_factor()));
    EXPECT_EQ(node.errors(), "");
    EXPECT_THAT(node.lines(), testing::ElementsAre("server got signal SIGTERM", "server stopped"));
}

TEST(EtcdChat, ItStopsInOrderWhereEtcdIsAway) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    for (const bool hangs : {false, true}) {
        Node a(etcd, "A");
        Person ann(a, "Ann");
        if (hangs) {
            etcd.pause();
        } else {
            etcd.kill();
        }
        ann.say("nobody orders this");
        const auto began = Clock::now();
        EXPECT_EQ(a.terminate(), exited(0));
        EXPECT_THAT(Clock::now() - began, Lt(5s * support::time_factor()));
        if (!hangs) {
            etcd.start();
            etcd.wait_until_healthy();
        }
    }
}

TEST(EtcdChat, RoomsThatHaveCrashedEndTheNode) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A", {"--faults"});
    Node b(etcd, "B");
    Person ann(a, "Ann");
    Person ben(b, "Ben");
    EXPECT_EQ(ann.hear(), "Ben has joined the room");  // what a applies next is what ann says
    ann.say("!throw room");
    ann.say("this throws");
    EXPECT_EQ(a.wait_exit(), exited(1));
    EXPECT_THAT(a.errors(), HasSubstr("the rooms have crashed"));
    ben.say("here it does not");
    const auto heard = ben.hear_up_to("Ben says: here it does not");
    EXPECT_EQ(heard.front(), "Ann says: !throw room");  // it was ordered, and only one node has thrown
}

TEST(EtcdChat, TheTreeTellsOfTheEngine) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Node a(etcd, "A");
    a.signal(SIGUSR1);
    a.wait_for_line("    node A of five, over etcd at " + etcd.urls());
}

// ---- TLS ------------------------------------------------------------------------------------------------------------

/// A directory with an authority, and a key and a certificate for each of some names.
class Certificates {
public:
    Certificates() {
        std::string path = (std::filesystem::temp_directory_path() / "certificates-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) throw support::Failure("no directory");
        directory_ = path;
        openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority "
            "-keyout ca.key -out ca.crt");
        openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other "
            "-keyout other.key -out other.crt");
    }
    ~Certificates() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    /// Of `name`, which is for instance IP:127.0.0.1.
    void issue(const std::string& file, const std::string& name) {
        openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + file + " -keyout " + file +
                ".key -out " + file + ".csr");
        std::ofstream(directory_ / "names") << "subjectAltName=" << name << "\n";
        openssl("x509 -req -in " + file + ".csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out " +
                file + ".crt");
    }
    std::string operator/(const std::string& file) const { return (directory_ / file).string(); }

private:
    void openssl(const std::string& words) {
        const auto finished =
            support::run_to_end(shell("cd " + directory_.string() + " && exec openssl " + words), 2 * patience());
        if (finished.exit != exited(0)) throw support::Failure(finished.errors);
    }
    std::filesystem::path directory_;
};

#define SKIP_WITHOUT_TLS()                                                            \
    SKIP_WITHOUT_ETCD();                                                              \
    if (!support::is_installed("openssl")) GTEST_SKIP() << "no openssl is installed"; \
    if (!chat::etcd::Tls::is_built()) GTEST_SKIP() << "built without OpenSSL (Debian: libssl-dev)"

TEST(EtcdTls, EtcdIsWhoItSaysAndSoAreWe) {
    SKIP_WITHOUT_TLS();
    Certificates files;
    files.issue("etcd", "IP:127.0.0.1");
    files.issue("us", "DNS:us");
    Etcd etcd({.scheme = "https",
               .flags = {"--cert-file", files / "etcd.crt", "--key-file", files / "etcd.key", "--trusted-ca-file",
                         files / "ca.crt", "--client-cert-auth"}});
    const std::vector<std::string> right{"--etcd-ca",      files / "ca.crt", "--etcd-cert",
                                         files / "us.crt", "--etcd-key",     files / "us.key"};
    {
        Node a(etcd, "A", right);
        Node b(etcd, "B", right);
        Person ann(a, "Ann");
        Person ben(b, "Ben");
        EXPECT_EQ(ann.hear(), "Ben has joined the room");
        ben.chat("Ben", "in secret");
        EXPECT_EQ(ann.hear(), "Ben says: in secret");
    }
    const std::string at = "cannot use etcd at " + etcd.urls() + ": ";
    expect_one_line(refused(etcd.urls(), "A", {"--etcd-ca", files / "other.crt"}),
                    at + "its certificate is not to be trusted: ");
    expect_one_line(refused(etcd.urls(), "A"), at + "its certificate is not to be trusted: ");
    expect_one_line(refused(etcd.urls(), "A", {"--etcd-ca", files / "ca.crt"}), "certificate");
    expect_one_line(refused("http" + etcd.urls().substr(5), "A"), "it has ended the connection");
    expect_one_line(refused(etcd.urls(), "A", {"--etcd-ca", files / "none.crt"}), "--etcd-ca: ");
    expect_one_line(refused(etcd.urls(), "A", {"--etcd-cert", files / "us.crt", "--etcd-key", files / "ca.key"}),
                    "--etcd-key: ");
}

TEST(EtcdTls, ACertificateForAnotherNameIsRefused) {
    SKIP_WITHOUT_TLS();
    Certificates files;
    files.issue("etcd", "DNS:elsewhere.example,IP:127.0.0.2");
    Etcd etcd({.scheme = "https", .flags = {"--cert-file", files / "etcd.crt", "--key-file", files / "etcd.key"}});
    expect_one_line(refused(etcd.urls(), "A", {"--etcd-ca", files / "ca.crt"}),
                    "its certificate is not to be trusted: ");
}

TEST(EtcdTls, PlainEtcdIsNoHttps) {
    SKIP_WITHOUT_TLS();
    Etcd etcd;
    expect_one_line(refused("https" + etcd.urls().substr(4), "A"), "it does not speak TLS with us: ");
}

}  // namespace
}  // namespace chat_tests
