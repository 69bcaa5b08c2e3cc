#include "app/door.hpp"

#include "unit/failing_accept.hpp"
#include "unit/stdout.hpp"
#include "unit/twins.hpp"

#include <gmock/gmock.h>

#include <future>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

/// The two ways to wait at a door, and to end the wait.
struct Blocking {
    static constexpr auto name = "Blocking";
    static std::string accept(app::Door& door, boost::asio::io_context&) { return peer_of(door.accept()); }
    static void stop(net::Listener& listener, boost::asio::io_context&) { listener.stop(); }

    static std::string peer_of(const auto& client) { return client ? client->peername() : "nobody"; }
};
struct Awaiting {
    static constexpr auto name = "Awaiting";
    static std::string accept(app::Door& door, boost::asio::io_context& loop) {
        return Blocking::peer_of(twins::run(loop, door.async_accept(loop)));
    }
    static void stop(net::Listener& listener, boost::asio::io_context& loop) {
        boost::asio::post(loop, [&listener] { listener.close(); });
    }
};

template <class Way>
class DoorTest : public testing::Test {
protected:
    /// Waits at the door in a thread of its own, for the peer's name.
    std::future<std::string> accept() {
        return std::async(std::launch::async, [this] { return Way::accept(door, loop); });
    }

    /// Waits until so much of the story has been told; all of it.
    std::string told(std::string_view until) {
        std::string all;
        EXPECT_TRUE(twins::becomes([&] { return (all += out.bytes()).find(until) != all.npos; })) << all;
        return all;
    }

    boost::asio::io_context loop;
    net::Listener listener = twins::listen(loop, {});
    app::Door door{listener, {"acceptor", 3}};
    CaughtStdout out;
};
using Ways = testing::Types<Blocking, Awaiting>;
TYPED_TEST_SUITE(DoorTest, Ways, twins::Names);

/// Takes all descriptors that this process may have; gives them back in the end.
class Shortage {
public:
    Shortage() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit few = before_;
        few.rlim_cur = 64;
        ::setrlimit(RLIMIT_NOFILE, &few);
        while (hoard_.empty() || hoard_.back() >= 0) hoard_.push_back(::open("/dev/null", O_RDONLY));
    }
    ~Shortage() {
        ::setrlimit(RLIMIT_NOFILE, &before_);
        for (const int descriptor : hoard_) ::close(descriptor);
    }
    Shortage(const Shortage&) = delete;
    Shortage& operator=(const Shortage&) = delete;

private:
    rlimit before_{};
    std::vector<int> hoard_;
};

}  // namespace

TYPED_TEST(DoorTest, TellsWhoWaitsAndWhoCame) {
    auto came = this->accept();
    EXPECT_EQ(this->told("client\n"), "acceptor 3 waits for client\n");
    auto client = twins::connect(this->loop, this->listener);
    const auto name = net::to_string(client.local_endpoint());
    EXPECT_EQ(came.get(), name);
    EXPECT_THAT(this->out.lines(), ElementsAre("acceptor 3 got client connection " + name));
}

TYPED_TEST(DoorTest, WaitsAShortageOutAndLosesNobody) {
    auto client = twins::connect(this->loop, this->listener);
    const auto start = Clock::now();
    std::future<std::string> came;
    {
        const Shortage shortage;
        came = this->accept();
        EXPECT_EQ(this->told("ms\n"),
                  "acceptor 3 waits for client\nacceptor 3 cannot accept: too many open files; waits 100 ms\n");
    }
    const auto name = net::to_string(client.local_endpoint());
    EXPECT_EQ(came.get(), name);
    EXPECT_GE(Clock::now() - start, app::shortage_wait);
    EXPECT_THAT(this->out.lines(), ElementsAre("acceptor 3 got client connection " + name));
}

TYPED_TEST(DoorTest, LetsNobodyInAfterTheStop) {
    auto came = this->accept();
    this->told("client\n");
    TypeParam::stop(this->listener, this->loop);
    EXPECT_EQ(came.get(), "nobody");
    EXPECT_EQ(this->accept().get(), "nobody") << "for good";
    EXPECT_THAT(this->out.lines(), ElementsAre("acceptor 3 waits for client"));
}

TYPED_TEST(DoorTest, TellsWhatTheSystemHasFailedItWith) {
    auto client = twins::connect(this->loop, this->listener);
    accept_error = EIO;
    EXPECT_EQ(this->accept().get(), "nobody");
    EXPECT_THAT(this->out.lines(),
                ElementsAre("acceptor 3 waits for client", "acceptor 3 accepts no more: input/output error"));
}

TYPED_TEST(DoorTest, MayTellNothingButShortages) {
    app::Door silent(this->listener, {"links"}, app::Door::Tells::shortages);
    auto client = twins::connect(this->loop, this->listener);
    EXPECT_EQ(TypeParam::accept(silent, this->loop), net::to_string(client.local_endpoint()));
    EXPECT_THAT(this->out.lines(), IsEmpty());
}
