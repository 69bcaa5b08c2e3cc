// Nodes on two computers with addresses of their own and a cable between them: network namespaces, which nothing
// outside this machine can reach.

#include "chat/chat.hpp"

#include <fcntl.h>
#include <sched.h>

namespace chat_tests {
namespace {

/// Runs ip(8); whether it succeeded. Else `why`, where given, is what it said.
bool ip(const std::string& words, std::string* why = nullptr) {
    const auto finished = support::run_to_end({{"sh", "-c", "ip " + words}});
    if (why != nullptr) *why = finished.errors;
    return finished.exit == exited(0);
}

/// A computer of its own, as far as the network is concerned, while this object lives.
class Computer {
public:
    explicit Computer(const std::string& name) : name_("five-" + std::to_string(::getpid()) + name) {
        exists_ = ip("netns add " + name_, &why_not_) && ip("-n " + name_ + " link set lo up", &why_not_);
        network_ = support::Descriptor(::open(("/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC));
    }
    ~Computer() { ip("netns del " + name_); }
    Computer(const Computer&) = delete;
    Computer& operator=(const Computer&) = delete;

    bool exists() const { return exists_; }
    const std::string& why_not() const { return why_not_; }
    const std::string& name() const { return name_; }

    /// Does something there: what it starts and connects belongs to that computer.
    template <class Work>
    auto operator()(Work work) const {
        const support::Descriptor here(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        EXPECT_EQ(::setns(network_.get(), CLONE_NEWNET), 0);
        auto made = work();
        EXPECT_EQ(::setns(here.get(), CLONE_NEWNET), 0);
        return made;
    }

private:
    std::string name_, why_not_;
    bool exists_ = false;
    support::Descriptor network_;
};

/// Between the two, which have these addresses at its ends.
bool lay_cable(const Computer& one, const Computer& other) {
    const auto end_of = [](const Computer& computer, const std::string& address) {
        return ip("-n " + computer.name() + " address add " + address + "/24 dev cable") &&
               ip("-n " + computer.name() + " link set cable up");
    };
    return ip("-n " + one.name() + " link add cable type veth peer name cable netns " + other.name()) &&
           end_of(one, "10.77.0.1") && end_of(other, "10.77.0.2");
}

TEST(TwoComputers, ShareARoomUntilTheCableIsPulledAndAgainWhenItIsBack) {
    if (::geteuid() != 0 || !support::is_installed("ip")) {
        GTEST_SKIP() << "networks of our own need root, and the program ip";
    }
    const Computer first("a"), second("b");
    if (!first.exists() || !second.exists())
        GTEST_SKIP() << "this machine allows no networks of our own: " << first.why_not() << second.why_not();
    ASSERT_TRUE(lay_cable(first, second));

    const std::string secret = testing::TempDir() + "five-secret-" + std::to_string(::getpid());
    ASSERT_EQ(support::run_to_end({{"sh", "-c", "umask 077; echo secret > " + secret}}).exit, exited(0));
    const std::vector<std::string> open_door{"--host", "0.0.0.0", "--node-port", "0"};
    {
        const auto careless = first([&] { return std::make_unique<Server>(open_door); });
        careless->wait_for_line("takes links from this computer only");
        const std::string where = "10.77.0.1:" + std::to_string(careless->node_port());
        const auto stranger = second([&] { return run("05_chat", {"--port", "0", "--join", where}); });
        EXPECT_EQ(stranger.exit, exited(1));
        EXPECT_THAT(stranger.errors, HasSubstr("links from other computers need a --link-secret-file"));
    }
    const auto with_secret = [&](std::vector<std::string> options) {
        options.insert(options.end(), {"--link-secret-file", secret});
        return std::make_unique<Server>(options);
    };
    const auto owner = first([&] { return with_secret(open_door); });
    const std::string where = "10.77.0.1:" + std::to_string(owner->node_port());
    const auto guest = second([&] { return with_secret({"--join", where, "--rejoin"}); });
    const auto michael = first([&] { return std::make_unique<Person>(*owner, "Michael"); });
    const auto mikey = second([&] { return std::make_unique<Person>(*guest, "Mikey"); });
    EXPECT_EQ(michael->hear(), "Mikey has joined the room");
    mikey->chat("Mikey", "Hello from over there!");
    EXPECT_EQ(michael->hear(), "Mikey says: Hello from over there!");
    EXPECT_THAT(owner->wait_for_line("is connected with"), HasSubstr("10.77.0.2:"));

    ASSERT_TRUE(ip("-n " + first.name() + " link set cable down"));  // nobody is told
    EXPECT_EQ(michael->hear(), "Mikey has left the room (node down)");
    EXPECT_EQ(mikey->hear(), awaited);
    ASSERT_TRUE(ip("-n " + first.name() + " link set cable up"));
    EXPECT_EQ(mikey->hear_up_to("You are in the room lobby as Mikey. /help lists the commands.").back(),
              "You are in the room lobby as Mikey. /help lists the commands.");
    EXPECT_EQ(michael->hear(), "Mikey has joined the room");
    michael->chat("Michael", "There you are.");
    EXPECT_EQ(mikey->hear(), "Michael says: There you are.");
    std::remove(secret.c_str());
}

}  // namespace
}  // namespace chat_tests
