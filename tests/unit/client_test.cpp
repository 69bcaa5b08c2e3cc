#include "app/client.hpp"
#include "app/async_client.hpp"
#include "app/faults.hpp"

#include "unit/stdout.hpp"
#include "unit/twins.hpp"

#include <gmock/gmock.h>

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ClientTest : public testing::Test {
protected:
    boost::asio::io_context loop;
    net::Listener listener = twins::listen(loop, {});
    net::tcp::socket peer = twins::connect(loop, listener);
    app::Client client{listener.accept().value(), {"handler", 7}};
    CaughtStdout out;
};

/// The same for a coroutine. What it answers is its own packets.
class AsyncClientTest : public testing::Test {
protected:
    /// One turn: receives, and puts all that came.
    net::awaitable<boost::system::error_code> answer() {
        const auto packets = co_await client.recv_all();
        if (!packets) co_return packets.error();
        for (const auto packet : *packets) client.put({packet});
        co_return boost::system::error_code();
    }

    boost::asio::io_context loop;
    net::Listener listener = twins::listen(loop, {});
    net::tcp::socket peer = twins::connect(loop, listener);
    app::AsyncClient client{twins::run(loop, listener.async_accept(loop)).value(), {"handler", 7}};
    CaughtStdout out;
};

}  // namespace

TEST_F(ClientTest, TellsItsStoryInOrder) {
    twins::write(peer, "hello\r\n");
    EXPECT_EQ(client.recv().value(), "hello\r\n");
    EXPECT_THAT(out.lines(), ElementsAre("handler 7 waits for data", "handler 7 got data from client hello"));
    EXPECT_TRUE(client.send({"ECHO ", "hello\r\n"}));
    EXPECT_THAT(out.lines(), IsEmpty()) << "a reply is no event";
    peer.shutdown(net::tcp::socket::shutdown_send);
    EXPECT_EQ(client.recv().error(), net::Error::closed);
    client.close();
    EXPECT_THAT(out.lines(), ElementsAre("handler 7 waits for data", "handler 7 connection closed"));
    EXPECT_EQ(twins::read_all(peer), "ECHO hello\r\n");
}

TEST_F(ClientTest, TellsHowItLostItsConnection) {
    twins::reset(peer);
    EXPECT_EQ(client.recv().error(), boost::system::errc::connection_reset);
    client.close();
    EXPECT_THAT(out.lines(),
                ElementsAre("handler 7 waits for data", "handler 7 connection lost: connection reset by peer"));
}

TEST_F(ClientTest, TellsAFaultBeforeItObeysIt) {
    app::faults::switch_on();
    twins::write(peer, "!throw\n");
    EXPECT_THROW(static_cast<void>(client.recv()), app::faults::Fault);
    EXPECT_THAT(out.lines(), ElementsAre("handler 7 waits for data", "handler 7 got data from client !throw"));
}

TEST_F(AsyncClientTest, TellsAllThatOneReadHasBroughtBeforeItIsAnswered) {
    twins::write(peer, "one\ntwo\nthree\n");
    EXPECT_FALSE(twins::run(loop, answer()));
    EXPECT_THAT(out.lines(), ElementsAre("handler 7 waits for data", "handler 7 got data from client one",
                                         "handler 7 got data from client two", "handler 7 got data from client three"));
    peer.shutdown(net::tcp::socket::shutdown_send);
    EXPECT_EQ(twins::run(loop, answer()), net::Error::closed);
    EXPECT_EQ(twins::read(peer, 14), "one\ntwo\nthree\n") << "telling takes nothing from those who answer";
    twins::run(loop, client.close());
    EXPECT_THAT(out.lines(), ElementsAre("handler 7 waits for data", "handler 7 connection closed"));
}

TEST_F(AsyncClientTest, SaysTheSameWhereNothingIsTold) {
    app::story::open(app::Log::quiet);
    twins::write(peer, "one\ntwo\n");
    peer.shutdown(net::tcp::socket::shutdown_send);
    EXPECT_FALSE(twins::run(loop, answer()));
    EXPECT_EQ(twins::run(loop, answer()), net::Error::closed);
    EXPECT_EQ(twins::read(peer, 8), "one\ntwo\n");
    twins::run(loop, client.close());
    app::story::open(app::Log::text);
    EXPECT_THAT(out.lines(), IsEmpty());
}

TEST_F(AsyncClientTest, TellsAFaultBeforeItObeysItAndNothingBehindIt) {
    app::faults::switch_on();
    twins::write(peer, "hello\n!throw\nlost\n");
    EXPECT_FALSE(twins::run(loop, answer()));
    EXPECT_THROW(static_cast<void>(twins::run(loop, answer())), app::faults::Fault);
    EXPECT_EQ(twins::read(peer, 6), "hello\n") << "what came before it was answered first";
    EXPECT_THAT(out.lines(), ElementsAre("handler 7 waits for data", "handler 7 got data from client hello",
                                         "handler 7 got data from client !throw"));
}
