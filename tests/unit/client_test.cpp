#include "app/client.hpp"
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
