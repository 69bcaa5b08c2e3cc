#include "02_thread_per_client/open_sockets.hpp"

#include "unit/twins.hpp"

#include <future>
#include <thread>

using net::Error;
using net::tcp;

namespace {

class OpenSocketsTest : public testing::Test {
protected:
    struct Connection {
        tcp::socket client;
        net::Socket socket;
    };
    Connection connect() {
        auto client = twins::connect(loop, listener);
        auto socket = listener.accept().value();
        return {std::move(client), std::move(socket)};
    }

    boost::asio::io_context loop;
    net::Listener listener = twins::listen(loop, {});
    OpenSockets sockets;
};

}  // namespace

TEST_F(OpenSocketsTest, ShutdownWakesEverybodyWhoWaits) {
    std::vector<std::future<boost::system::error_code>> waiting;
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 4; ++i) {
        auto connection = connect();
        clients.push_back(std::move(connection.client));
        std::promise<void> entered;
        auto has_entered = entered.get_future();
        waiting.push_back(std::async(
            std::launch::async,
            [this](net::Socket socket, std::promise<void> in) {
                const OpenSockets::Entry entry(sockets, socket);
                in.set_value();
                return socket.recv().error();
            },
            std::move(connection.socket), std::move(entered)));
        has_entered.get();
    }
    sockets.shutdown_all(tcp::socket::shutdown_receive);
    for (auto& one : waiting) EXPECT_EQ(one.get(), Error::closed);
}

TEST_F(OpenSocketsTest, WhoComesLaterIsTreatedTheSame) {
    sockets.shutdown_all(tcp::socket::shutdown_receive);
    auto late = connect();
    const OpenSockets::Entry entry(sockets, late.socket);
    EXPECT_EQ(late.socket.recv().error(), Error::closed);
    EXPECT_TRUE(late.socket.send({"bye\n"})) << "only the receiving direction has ended";
    sockets.shutdown_all(tcp::socket::shutdown_both);
    EXPECT_FALSE(late.socket.send({"bye\n"}));
}

TEST_F(OpenSocketsTest, WhoHasLeftIsLeftAlone) {
    auto connection = connect();
    {
        const OpenSockets::Entry entry(sockets, connection.socket);
    }
    sockets.shutdown_all(tcp::socket::shutdown_both);
    twins::write(connection.client, "hello\n");
    EXPECT_EQ(*connection.socket.recv(), "hello\n");
}

TEST_F(OpenSocketsTest, ComingAndGoingDuringTheShutdownIsSafe) {
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([this] {
            boost::asio::io_context own;
            for (int round = 0; round < 50; ++round) {
                net::Socket socket(net::TcpSocket(own, tcp::v4()), {});
                const OpenSockets::Entry entry(sockets, socket);
            }
        });
    }
    for (int i = 0; i < 200; ++i) sockets.shutdown_all(tcp::socket::shutdown_receive);
    for (auto& client : clients) client.join();
}
