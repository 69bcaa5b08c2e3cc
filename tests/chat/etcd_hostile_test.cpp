// The gateway against what is no etcd, or a sick one: one clear line, soon, and never without a bound.

#include "chat/etcd_asker.hpp"

#include <sstream>

using namespace etcd_tests;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;

namespace {

/// Listens in the asker's loop, and says the same to everybody who has said something.
class Impostor {
public:
    enum class Then { closes, hangs, goes_on };

    Impostor(Asker& asker, const std::string& reply, Then then)
        : state_(std::make_shared<State>(asker.loop(), reply, then)) {
        asio::co_spawn(asker.loop(), accept(state_), [](const std::exception_ptr&) {});
    }
    ~Impostor() {
        boost::system::error_code ignored;
        state_->acceptor.close(ignored);
        for (const auto& socket : state_->sockets) socket->close(ignored);
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port()); }
    std::size_t connections() const { return state_->sockets.size(); }
    std::size_t sent() const { return state_->sent; }

private:
    struct State {
        State(asio::io_context& loop, std::string reply, Then then)
            : acceptor(loop, net::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
              reply(std::move(reply)),
              then(then) {}
        net::TcpAcceptor acceptor;
        std::string reply;
        Then then;
        std::vector<std::shared_ptr<net::TcpSocket>> sockets;
        std::size_t sent = 0;
    };
    using StatePtr = std::shared_ptr<State>;

    static net::awaitable<void> accept(StatePtr state) {
        for (;;) {
            auto [error, socket] = co_await state->acceptor.async_accept(net::outcome);
            if (error) co_return;
            state->sockets.push_back(std::make_shared<net::TcpSocket>(std::move(socket)));
            asio::co_spawn(state->acceptor.get_executor(), serve(state, state->sockets.back()),
                           [](const std::exception_ptr&) {});
        }
    }
    static net::awaitable<void> serve(StatePtr state, std::shared_ptr<net::TcpSocket> socket) {
        std::string heard(1 << 16, '\0');
        co_await socket->async_read_some(asio::buffer(heard), net::outcome);
        do {
            const auto [error, size] = co_await asio::async_write(*socket, asio::buffer(state->reply), net::outcome);
            state->sent += size;
            if (error) co_return;
        } while (state->then == Then::goes_on);
        boost::system::error_code ignored;
        // Not a reset, which might overtake the reply.
        if (state->then == Then::closes) socket->shutdown(net::tcp::socket::shutdown_send, ignored);
    }

    StatePtr state_;
};
using Then = Impostor::Then;

std::string http(const std::string& body, const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string chunked(const std::string& body) {
    std::ostringstream size;
    size << std::hex << body.size();
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size.str() + "\r\n" + body + "\r\n";
}

const std::string created = R"({"result":{"header":{"revision":"1"},"created":true}})"
                            "\n";

struct Case {
    std::string reply;
    Then then;
    std::string words;
    Failure::Kind kind = Failure::Kind::no_answer;
};

TEST(EtcdHostile, WhatIsNoEtcdIsOneLine) {
    const std::string chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const Case& one : {
             Case{"", Then::closes, "it has ended the connection"},
             Case{"", Then::hangs, "it does not answer"},
             Case{"ECHO POST /v3/kv/range HTTP/1.1\r\n", Then::hangs, "it does not speak HTTP: "},
             Case{std::string("\x15\x03\x01\0\2\2\x16", 7), Then::closes, "it has ended the connection"},
             Case{std::string(1 << 20, '\0'), Then::goes_on, "it does not speak HTTP: "},
             Case{"HTTP/1.1 200 OK\r\n", Then::closes, "it has ended the connection"},
             Case{"HTTP/1.1 200 OK\r\n", Then::hangs, "it does not answer"},
             Case{"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), Then::goes_on, "it does not speak HTTP: "},
             Case{http("{}").substr(0, 60), Then::closes, "it has ended the connection"},
             Case{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Then::hangs, "it does not speak HTTP: "},
             Case{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", Then::hangs, "its answer is too long"},
             Case{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", Then::hangs, "HTTP: "},
             Case{"HTTP/1.1 204 No Content\r\n\r\n", Then::hangs, "what answers there is no etcd: HTTP 204 "},
             Case{"HTTP/1.1 100 Continue\r\n\r\n", Then::hangs, "what answers there is no etcd: HTTP 100 "},
             Case{http("oops\n\x1b[2J", "500 Internal Server Error"), Then::hangs,
                  "what answers there is no etcd: HTTP 500 oops\\n\\x1b[2J"},
             Case{http("<html>", "302 Found"), Then::closes, "what answers there is no etcd: HTTP 302 <html>"},
             Case{http("<html>"), Then::hangs, "its answer is not one of etcd"},
             Case{http("{}"), Then::hangs, "its answer is not one of etcd"},
             Case{http("[]"), Then::hangs, "its answer is not one of etcd"},
             Case{http(std::string(1 << 20, '[')), Then::hangs, "its answer is not one of etcd"},
             Case{http(R"({"header":{"revision":"1"},"kvs":[{"key":"?"}]})"), Then::hangs, "not one of etcd"},
             Case{http(R"({"header":{"revision":"1"},"more":true})"), Then::hangs, "not one of etcd"},
             Case{http(R"({"header":{"revision":"99999999999999999999"}})"), Then::hangs, "not one of etcd"},
             Case{chunked("{}"), Then::closes, "it has ended the connection"},
             Case{chunked("{}"), Then::hangs, "it does not answer"},
             Case{chunked_head + "ffffffffffffffff\r\n", Then::hangs, "its answer is too long"},
             Case{chunked_head + "nonsense\r\n", Then::hangs, "it does not speak HTTP: "},
             Case{chunked_head + "5;" + std::string(100'000, 'x'), Then::goes_on, "it does not speak HTTP: "},
             Case{http(R"({"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14})", "503 X"),
                  Then::hangs, "etcdserver: no leader"},
             Case{http(R"({"error":"e","message":"etcdserver: too many requests","code":8})", "429 X"), Then::hangs,
                  "etcdserver: too many requests"},
             Case{http(R"({"error":"e","message":"no\u001b[2J\nspace","code":8})", "429 X"), Then::hangs,
                  "no\\x1b[2J\\nspace", Failure::Kind::refused},
         }) {
        SCOPED_TRACE(one.reply.substr(0, 100));
        const auto began = Clock::now();
        Asker asker;
        const Impostor impostor(asker, one.reply, one.then);
        asker.reach(impostor.url());
        const auto answer = asker.wait(asker.gateway().range("five/"));
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().kind, one.kind);
        EXPECT_THAT(answer.error().words, HasSubstr(one.words));
        EXPECT_THAT(answer.error().words.size(), Lt(300u));
        EXPECT_EQ(answer.error().words.find('\n'), std::string::npos);
        EXPECT_THAT(Clock::now() - began, Lt(Gateway::patience + 500ms));
    }
}

TEST(EtcdHostile, AnEndlessAnswerIsCut) {
    Asker asker;
    // Its body goes on until the connection ends.
    const Impostor impostor(asker, "HTTP/1.1 200 OK\r\n\r\n" + std::string(1 << 20, ' '), Then::goes_on);
    asker.reach(impostor.url());
    const auto answer = asker.wait(asker.gateway().range("five/"));
    ASSERT_FALSE(answer.has_value());
    EXPECT_THAT(answer.error().words,
                testing::AnyOf(HasSubstr("its answer is too long"), HasSubstr("does not answer")));
    EXPECT_THAT(impostor.sent(), Lt(max_answer + (16 << 20)));
}

TEST(EtcdHostile, AWatchThatIsNoneEndsSoonAndSaysWhy) {
    for (const Case& one : {
             Case{"", Then::hangs, "it does not answer"},
             Case{"", Then::closes, "it has ended the connection"},
             Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Then::hangs, "it does not answer"},
             Case{http(created), Then::hangs, "it has ended the watch"},
             Case{http("{}\n"), Then::hangs, "its answer is not one of etcd"},
             Case{chunked(created) + "0\r\n\r\n", Then::hangs, "it has ended the watch"},
             Case{chunked(created), Then::closes, "it has ended the connection"},
             Case{chunked(created + "nonsense\n"), Then::hangs, "its answer is not one of etcd"},
             Case{chunked(created + R"({"result":{"header":{},"events":[{"type":"NEW","kv":{}}]}})"
                                    "\n"),
                  Then::hangs, "its answer is not one of etcd"},
             Case{"HTTP/1.1 200 OK\r\n\r\n" + created + std::string(1 << 20, 'x'), Then::goes_on, "is not one of etcd"},
             Case{chunked(R"({"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}})"
                          "\n"),
                  Then::hangs, "etcdserver: no leader"},
             Case{chunked(R"({"error":{"code":14,"message":"etcdserver: no leader"}})"
                          "\n"),
                  Then::hangs, "etcdserver: no leader"},
             Case{http("Not Found", "404 Not Found"), Then::hangs, "what answers there is no etcd: HTTP 404 Not Found"},
         }) {
        SCOPED_TRACE(one.reply.substr(0, 200));
        Asker asker;
        const Impostor impostor(asker, one.reply, one.then);
        asker.reach(impostor.url());
        const auto watching = asker.watch("five/", 1);
        ASSERT_TRUE(asker.run_until([&] { return watching->over.has_value(); }, Gateway::patience + 3s));
        EXPECT_EQ(watching->over->kind, Failure::Kind::no_answer);
        EXPECT_THAT(watching->over->words, HasSubstr(one.words));
        EXPECT_THAT(watching->told, IsEmpty());
    }
}

TEST(EtcdHostile, ALineWithoutAnEndIsCut) {
    Asker asker;
    const Impostor impostor(asker, "HTTP/1.1 200 OK\r\n\r\n" + created + std::string(max_answer + 1, 'x'), Then::hangs);
    asker.reach(impostor.url());
    const auto watching = asker.watch("five/", 1);
    ASSERT_TRUE(asker.run_until([&] { return watching->over.has_value(); }));
    EXPECT_THAT(watching->over->words, HasSubstr("its answer is too long"));
}

TEST(EtcdHostile, WhoAsksAgainAndAgainDoesSoAtAMeasuredPace) {
    for (const bool watches : {false, true}) {
        Asker asker;
        const Impostor impostor(asker, "", Then::closes);
        asker.reach(impostor.url());
        const auto end = Clock::now() + 1s;
        while (Clock::now() < end) {
            if (watches) {
                const auto watching = asker.watch("five/", 1);
                ASSERT_TRUE(asker.run_until([&] { return watching->over.has_value(); }));
            } else {
                static_cast<void>(asker.wait(asker.gateway().range("five/")));
            }
        }
        EXPECT_THAT(impostor.connections(), Lt(20u));
    }
}

TEST(EtcdHostile, TheNextMemberIsAskedWhereOneIsNoEtcd) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    for (const auto then : {Then::hangs, Then::closes}) {
        Asker asker;
        const Impostor impostor(asker, "", then);
        asker.reach(impostor.url() + "," + etcd.url(0));
        EXPECT_THAT(failure_of(asker.wait(asker.gateway().range("five/"))), HasSubstr(impostor.url() + ": it "));
        EXPECT_EQ(failure_of(asker.wait(asker.gateway().range("five/"))), "");
    }
    // Who cannot be reached has not heard the question: it goes to the next one at once.
    Asker asker("http://127.0.0.1:1,http://no-such-host.invalid:2379," + etcd.url(0));
    EXPECT_EQ(failure_of(asker.wait(asker.gateway().range("five/"))), "");
}

TEST(EtcdHostile, ANameThatNobodyHasIsOneLine) {
    Asker asker("http://no-such-host.invalid:2379");
    const auto began = Clock::now();
    const auto words = failure_of(asker.wait(asker.gateway().range("five/")));
    EXPECT_THAT(words, testing::AnyOf(HasSubstr("ost not found"), HasSubstr("does not answer")));
    EXPECT_THAT(Clock::now() - began, Lt(Gateway::patience + 500ms));
}

}  // namespace
