// What the kernel is asked, in the process of the test itself.

#include "observer/kernel.hpp"
#include "support/client.hpp"

#include "net/listener.hpp"

#include <gmock/gmock.h>
#include <boost/asio.hpp>
#include <boost/json.hpp>

#include <unistd.h>

namespace observed {
namespace {

using observer::TcpSocket;
using observer::TcpTable;
using support::Client;
namespace asio = boost::asio;
using asio::ip::tcp;

class Table : public testing::TestWithParam<std::tuple<TcpTable::Way, const char*>> {
protected:
    Table() : table(::getpid(), std::get<0>(GetParam())) {
        const tcp::endpoint here(asio::ip::make_address(std::get<1>(GetParam())), 0);
        acceptor.open(here.protocol());
        acceptor.bind(here);
        acceptor.listen();
    }
    std::vector<TcpSocket> listening() const {
        std::vector<TcpSocket> all;
        table.listening([&](TcpSocket&& socket) {
            if (socket.port == acceptor.local_endpoint().port()) all.push_back(std::move(socket));
        });
        return all;
    }
    std::vector<TcpSocket> connections() const {
        std::vector<TcpSocket> all;
        table.connections(listening(), [&](TcpSocket&& socket) { all.push_back(std::move(socket)); });
        return all;
    }
    static std::string shown(const tcp::endpoint& endpoint) {
        std::ostringstream text;
        text << endpoint;
        return text.str();
    }

    asio::io_context loop;
    tcp::acceptor acceptor{loop};
    TcpTable table;
};

TEST_P(Table, KnowsWhoWaitsWhatHasArrivedAndWhatWasNotTaken) {
    ASSERT_EQ(listening().size(), 1u);
    EXPECT_EQ(listening()[0].address, shown(acceptor.local_endpoint()));
    EXPECT_EQ(listening()[0].unread, 0);
    EXPECT_TRUE(connections().empty());

    tcp::socket client(loop), other(loop);
    client.connect(acceptor.local_endpoint());
    asio::write(client, asio::buffer("hello", 5));
    EXPECT_EQ(listening()[0].unread, 1) << "one waits for accept";
    ASSERT_EQ(connections().size(), 1u);
    EXPECT_EQ(connections()[0].peer, shown(client.local_endpoint()));
    EXPECT_EQ(connections()[0].unread, 5);
    EXPECT_EQ(connections()[0].inode, 0u);

    tcp::socket accepted = acceptor.accept();
    EXPECT_EQ(listening()[0].unread, 0);
    EXPECT_NE(connections()[0].inode, 0u);
    accepted.non_blocking(true);
    boost::system::error_code error;
    const std::string much(1 << 16, 'x');
    while (!error) accepted.write_some(asio::buffer(much), error);
    EXPECT_GT(connections()[0].unsent, 0);

    client.shutdown(tcp::socket::shutdown_send);
    EXPECT_EQ(connections().size(), 1u) << "it may still be answered";
    accepted.close();
    client.close();
    EXPECT_TRUE(support::eventually([&] { return connections().empty(); })) << "what is over is not listed";
}

INSTANTIATE_TEST_SUITE_P(BothWays, Table,
                         testing::Combine(testing::Values(TcpTable::Way::netlink, TcpTable::Way::proc),
                                          testing::Values("127.0.0.1", "::1")));

/// A machine may remember a hundred thousand connections that are over. Then /proc takes a second, and shows some of
/// them twice and others not at all.
TEST(KernelsView, IsOfThisProcessesDoorAlone) {
    asio::io_context loop;
    tcp::acceptor ours(loop, {asio::ip::make_address("127.0.0.1"), 0});
    observer::Kernel kernel(::getpid());
    tcp::socket client(loop);
    client.connect(ours.local_endpoint());
    const auto door = kernel.door();
    ASSERT_FALSE(door.empty());
    EXPECT_EQ(door.at("waits"), 1);
    EXPECT_EQ(door.at("accepted"), 0);
    EXPECT_EQ(door.at("addresses").as_array().size(), 1u);
    EXPECT_EQ(door.at("waiting").at(0).at("peer").as_string().find("127.0.0.1:"), 0u);
    ours.close();
    EXPECT_TRUE(kernel.door().empty());
    const auto processes = kernel.processes();
    EXPECT_EQ(processes.at("shown").at(0).at("pid"), ::getpid());
    EXPECT_GT(processes.at("shown").at(0).at("memory").to_number<std::int64_t>(), 1'000'000);
}

}  // namespace
}  // namespace observed
