#include "net/listener.hpp"

#include "unit/failing_accept.hpp"
#include "unit/twins.hpp"

#include <atomic>
#include <future>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using net::Error;
using net::tcp;

namespace {

int option(int descriptor, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(descriptor, level, name, &value, &size) == 0 ? value : -1;
}

/// The open descriptors of this process that are sockets.
std::vector<int> sockets() {
    std::vector<int> found;
    for (int descriptor = 0; descriptor < 1024; ++descriptor) {
        if (option(descriptor, SOL_SOCKET, SO_TYPE) == SOCK_STREAM) found.push_back(descriptor);
    }
    return found;
}

template <class Twin>
class ListenerTest : public testing::Test {
protected:
    boost::asio::io_context loop;
    Twin twin{loop};
    net::Listener listener = twins::listen(loop, {});
};
TYPED_TEST_SUITE(ListenerTest, twins::Both, twins::Names);

}  // namespace

TYPED_TEST(ListenerTest, EverySocketOfOursIsFastAndOurs) {
    auto connected = net::connect(this->loop, "127.0.0.1", this->listener.sockname().port(), {});
    ASSERT_TRUE(connected);
    auto accepted = this->twin.accept(this->listener);
    ASSERT_TRUE(accepted);
    const auto ours = sockets();
    ASSERT_EQ(ours.size(), 3U);
    for (const int descriptor : ours) {
        EXPECT_EQ(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC) << "children would hold it open";
        EXPECT_NE(option(descriptor, IPPROTO_TCP, TCP_NODELAY), 0) << "Nagle's algorithm is on";
    }
}

TYPED_TEST(ListenerTest, NobodyIsAcceptedAfterClose) {
    const auto address = this->listener.sockname();
    this->listener.close();
    EXPECT_EQ(this->twin.accept(this->listener).error(), Error::stopped);
    tcp::socket client(this->loop);
    boost::system::error_code error;
    client.connect(address, error);
    EXPECT_EQ(error, boost::asio::error::connection_refused);
}

TYPED_TEST(ListenerTest, AShortageLosesNoClient) {
    auto client = twins::connect(this->loop, this->listener);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    // The first call opens what the waiting itself needs; none may be left for the client.
    std::vector<int> hoard;
    rlimit few = before;
    few.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &few);
    while (hoard.empty() || hoard.back() >= 0) hoard.push_back(::open("/dev/null", O_RDONLY));
    const auto refused = this->twin.accept(this->listener);
    ::setrlimit(RLIMIT_NOFILE, &before);
    for (const int descriptor : hoard) ::close(descriptor);
    EXPECT_EQ(refused.error(), boost::system::errc::too_many_files_open);
    EXPECT_TRUE(net::is_shortage(refused.error()));

    auto socket = this->twin.accept(this->listener);
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->peername(), net::to_string(client.local_endpoint()));
}

TYPED_TEST(ListenerTest, ClientsThatLeaveAtOnceDoNoHarm) {
    for (int i = 0; i < 200; ++i) {
        auto client = twins::connect(this->loop, this->listener);
        if (i % 2 == 0) twins::reset(client);
    }
    auto last = twins::connect(this->loop, this->listener);
    const auto name = net::to_string(last.local_endpoint());
    for (int i = 0; i <= 200; ++i) {
        auto socket = this->twin.accept(this->listener);
        ASSERT_TRUE(socket);
        if (socket->peername() == name) return;
    }
    FAIL() << "the last one was never accepted";
}

TYPED_TEST(ListenerTest, AnErrorThatNobodyKnowsIsToldAsItIs) {
    auto client = twins::connect(this->loop, this->listener);
    accept_error = EIO;
    EXPECT_EQ(this->twin.accept(this->listener).error(), boost::system::errc::io_error);
    EXPECT_TRUE(this->twin.accept(this->listener));
}

TYPED_TEST(ListenerTest, OneClientsErrorIsNotTheListeners) {
    auto client = twins::connect(this->loop, this->listener);
    for (const int error : {ECONNABORTED, EPROTO, EHOSTUNREACH, EINTR}) {
        accept_error = error;
        EXPECT_TRUE(this->twin.accept(this->listener)) << error;
        client = twins::connect(this->loop, this->listener);
    }
    accept_error = EOPNOTSUPP;
    EXPECT_FALSE(this->twin.accept(this->listener)) << "it would be tried for ever where nobody can be accepted";
}

TEST(Listener, StopsInAShortage) {
    boost::asio::io_context loop;
    auto listener = twins::listen(loop, {});
    listener.stop();
    accept_error = EMFILE;  // Linux looks for a descriptor first, and then whether anybody listens
    EXPECT_EQ(listener.accept().error(), Error::stopped);
}

TEST(Listener, StopWakesEveryThreadThatWaitsAndForGood) {
    boost::asio::io_context loop;
    auto listener = twins::listen(loop, {});
    std::vector<std::future<boost::system::error_code>> acceptors;
    for (int i = 0; i < 4; ++i) {
        acceptors.push_back(std::async(std::launch::async, [&] {
            for (;;) {
                const auto socket = listener.accept();
                if (!socket) return socket.error();
            }
        }));
    }
    // They wait, or are about to: both must end.
    auto client = twins::connect(loop, listener);
    twins::write(client, "x");
    listener.stop();
    for (auto& acceptor : acceptors) {
        ASSERT_EQ(acceptor.wait_for(twins::deadline), std::future_status::ready);
        EXPECT_EQ(acceptor.get(), Error::stopped);
    }
    EXPECT_EQ(listener.accept().error(), Error::stopped);
}

TEST(Listener, CloseEndsWhoeverAwaitsAClient) {
    boost::asio::io_context loop;
    auto listener = twins::listen(loop, {});
    boost::asio::post(loop, [&] { listener.close(); });
    EXPECT_EQ(twins::run(loop, listener.async_accept(loop)).error(), Error::stopped);
}

TEST(Listener, AcceptedSocketsMayBelongToAnotherLoop) {
    boost::asio::io_context loop, another;
    auto listener = twins::listen(loop, {});
    auto client = twins::connect(loop, listener);
    auto socket = twins::run(loop, listener.async_accept(another));
    ASSERT_TRUE(socket);
    twins::write(client, "hello\n");
    EXPECT_EQ(*twins::run(another, socket->recv()), "hello\n");
}

TEST(Listen, KnowsTheRealPortAndManyKindsOfHost) {
    boost::asio::io_context loop;
    for (const std::string host : {"127.0.0.1", "127.0.0.2", "localhost"}) {
        const auto listener = net::listen(loop, host, 0, {});
        ASSERT_TRUE(listener) << host;
        EXPECT_GT(listener->sockname().port(), 0);
        EXPECT_TRUE(listener->sockname().address().is_loopback());
    }
    const auto ipv6 = net::listen(loop, "::1", 0, {});
    if (!ipv6) GTEST_SKIP() << "no IPv6 here: " << ipv6.error().message();
    EXPECT_TRUE(net::to_string(ipv6->sockname()).starts_with("[::1]:"));
}

TEST(Listen, SaysWhyItCannot) {
    boost::asio::io_context loop;
    const auto first = twins::listen(loop, {});
    EXPECT_EQ(net::listen(loop, "127.0.0.1", first.sockname().port(), {}).error(), boost::system::errc::address_in_use);
    EXPECT_EQ(net::listen(loop, "192.0.2.1", 0, {}).error(), boost::system::errc::address_not_available);
    EXPECT_FALSE(net::listen(loop, std::string(300, 'x'), 0, {})) << "no name is so long";
}

TEST(Listen, APortIsFreeAgainAtOnce) {
    boost::asio::io_context loop;
    auto listener = twins::listen(loop, {});
    const auto port = listener.sockname().port();
    auto client = twins::connect(loop, listener);
    auto socket = listener.accept();
    ASSERT_TRUE(socket);
    socket->close();  // we close first: the kernel remembers this connection for a minute
    listener.close();
    client.close();
    EXPECT_TRUE(net::listen(loop, "127.0.0.1", port, {}));
}

TEST(Connect, TellsARefusalFromAnUnknownHost) {
    boost::asio::io_context loop;
    auto listener = twins::listen(loop, {});
    const auto port = listener.sockname().port();
    listener.close();
    EXPECT_EQ(net::connect(loop, "127.0.0.1", port, {}).error(), boost::asio::error::connection_refused);
    EXPECT_FALSE(net::connect(loop, std::string(300, 'x'), port, {}));
}
