// LinkBackend on a real socket, and a host that lets everybody in.

#include "05_chat/link/backend.hpp"
#include "05_chat/link/host.hpp"
#include "unit/twins.hpp"

#include <memory>
#include <stdexcept>
#include <string>

using namespace chat;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;

/// A person at the text door; what tells them that they are in has a fault.
struct Faulty : Participant {
    using Participant::Participant;
    void tell(std::string_view) override {}
    void entered() override { throw std::runtime_error("oops"); }
    void room_down(std::string_view, bool) override {}
    void removed(std::string_view) override {}
    void rejoined(const result<void, Why>&) override {}
};

net::SocketOptions frames() {
    net::SocketOptions options;
    options.packet = net::Packet::four;
    return options;
}

class BackendAndHost : public twins::Meeting<twins::Awaiting> {
protected:
    net::awaitable<void> serve() {
        auto guest = co_await listener.async_accept(loop);
        PersonId last = 100;
        link::Host host({"host", 7, {}}, [&] { return ++last; }, 10, 2, link::Clock::now(), 5s);
        for (;;) {
            const std::string out = host.take_output();
            if (!out.empty()) guest->write_some(std::array{asio::const_buffer(asio::buffer(out))});
            const auto words = co_await guest->recv_all();
            if (!words) co_return;
            for (const auto frame : *words) {
                const auto todo = host.receive(frame, link::Clock::now());
                const auto* wanted = todo ? std::get_if<link::Host::Wanted>(&*todo) : nullptr;
                if (wanted != nullptr) host.outcome(*wanted, Line{1, Line::Kind::joined, last, "Ann", {}});
            }
        }
    }

    net::Listener listener{twins::listen(loop, frames())};
    Backlog backlog{1 << 20, 1 << 20};
    LinkBackend backend{
        loop, backlog,
        LinkBackend::Settings{{"guest", 8, {}}, "127.0.0.1", listener.sockname().port(), false, 5s, 4000}};
};

TEST_F(BackendAndHost, WhatIsThrownWhileTheHostIsHeardEndsTheLink) {
    meet();
    Faulty ann(1, std::make_shared<Writer>(std::move(*socket), 1, backlog));
    const auto story = [&]() -> net::awaitable<void> {
        EXPECT_TRUE(co_await backend.open());
        const auto begin = link::Clock::now();
        const Submission submission{"lobby", Join{ann.id, "Ann"}};
        for (int attempt = 0; attempt < 2; ++attempt) {
            const auto joined = co_await backend.submit(ann, submission);
            EXPECT_EQ(joined ? "is in" : joined.error().words, room_is_down);
        }
        EXPECT_LT(link::Clock::now() - begin, answer_patience);
        backend.forget(ann);
        backend.stop();
    };
    asio::co_spawn(loop, serve(), [](const std::exception_ptr& crash) { EXPECT_FALSE(crash); });
    twins::run(loop, story());
}

}  // namespace
