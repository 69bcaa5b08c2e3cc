#include "03_acceptor_pool/pool.hpp"

#include "app/events.hpp"
#include "app/text.hpp"

#include <boost/asio.hpp>

#include <thread>

namespace pool {

namespace events = app::events;

namespace {

constexpr app::Who server{"server"};

std::vector<std::unique_ptr<Loop>> make_loops(unsigned threads) {
    std::vector<std::unique_ptr<Loop>> loops;
    for (unsigned number = 1; number <= threads; ++number) loops.push_back(std::make_unique<Loop>(number));
    return loops;
}

}  // namespace

Options::Options() : threads(std::max(1u, std::thread::hardware_concurrency())) {}

void Options::declare(app::CommandLine& line, const std::string& heading) {
    constexpr std::int64_t million = 1'000'000;
    line.group(heading);
    line.number("--acceptors", acceptors, 1, 1000, "Coroutines that accept");
    line.number("--threads", threads, 1, 256, "Event loops, each in a thread of its own");
    line.number("--max-connections", max_connections, 0, million, "Clients served at once; 0: no limit");
    line.choice("--overload", overload, std::array{"queue", "reject"},
                "Clients above it wait in the backlog, or are closed");
    line.seconds("--idle-timeout", idle_timeout, std::chrono::hours(24),
                 "Close clients when no byte has come or gone for so long; 0: never");
    line.number("--setup-ms", setup_ms, 0, 60'000,
                "Let each acceptor work so long on each connection, in milliseconds");
    line.seconds("--shutdown-timeout", shutdown_timeout, std::chrono::hours(1),
                 "How long clients may finish at the end");
}

Pool::Pool(const Options& options, std::string_view prefix,
           const std::function<net::Listener(asio::io_context&)>& listen)
    : options_(options),
      prefix_(prefix),
      loops_(make_loops(options.threads)),
      listener_(listen(loops_.front()->context)),
      limit_(loops_.front()->context, options.max_connections, options.overload) {
    for (unsigned i = 0; i < options.acceptors; ++i) acceptors_.push_back({net::Timer(loops_.front()->context)});
    on_crash = [](app::Who who, const std::exception_ptr& exception) {
        app::tell(who, events::crashed, app::text::what(exception));
    };
    set_up = [this](std::uint64_t number, net::AsyncSocket&) -> net::awaitable<void> {
        if (options_.setup_ms > 0) co_await wait(number, std::chrono::milliseconds(options_.setup_ms));
    };
}

void Pool::start(const std::function<void()>& on_deaf) {
    accepting_ = options_.acceptors;
    for (std::uint64_t number = 1; number <= options_.acceptors; ++number) {
        const auto ended = [this, number, on_deaf](const std::exception_ptr& exception) {
            if (exception) on_crash({"acceptor", number}, exception);
            if (--accepting_ == 0) stopping_ ? stop_sessions() : on_deaf();
        };
        asio::co_spawn(loops_.front()->context, accept_loop(*this, number), ended);
    }
    watch_idle();
}

void Pool::watch_idle() {
    if (options_.idle_timeout.count() == 0) return;
    for (auto& loop : loops_) {
        asio::post(loop->context, [this, &loop] { loop->sessions.send_idle_away(options_.idle_timeout); });
    }
}

void Pool::stop() {
    asio::post(loops_.front()->context, [this] {
        stop_accepting();
        if (accepting_ == 0) stop_sessions();
    });
}

void Pool::stop_accepting() {
    stopping_ = true;
    app::tell(server, events::stops_accepting);
    listener_.close();
    limit_.stop();
    for (auto& acceptor : acceptors_) acceptor.timer.cancel();
}

// Only after the last acceptor: the client that it is setting up may belong to a loop that would have ended by then.
void Pool::stop_sessions() {
    for (auto& loop : loops_) {
        asio::post(loop->context, [this, &loop] {
            loop->sessions.stop(options_.shutdown_timeout);
            loop->work.reset();
        });
    }
}

void Pool::tell_accepted() const {
    for (std::uint64_t number = 1; number <= acceptors_.size(); ++number) {
        app::tell({"acceptor", number}, events::accepted, acceptors_[number - 1].accepted);
    }
}

net::awaitable<void> Pool::wait(std::uint64_t acceptor, std::chrono::milliseconds time) {
    if (stopping_) co_return;
    auto& timer = acceptors_[acceptor - 1].timer;
    timer.expires_after(time);
    co_await timer.async_wait(net::outcome);
}

void Pool::start_session(std::uint64_t acceptor, Loop& loop, net::AsyncSocket socket, Permit permit) {
    ++acceptors_[acceptor - 1].accepted;
    const app::Who handler{"handler", ++clients_};
    // Posted, even to this thread's own loop, so that the accept's large memory block is free again before this session
    // allocates; it would keep it for life. And small, since the session may get the memory of what is posted.
    auto owned = std::make_unique<net::AsyncSocket>(std::move(socket));
    asio::post(loop.context, [this, &loop, handler, socket = std::move(owned), permit = std::move(permit)]() mutable {
        if (loops_.size() > 1) app::tell(handler, events::runs_in_loop, loop.number);
        auto entry = loop.sessions.add({std::move(*socket), handler}, std::move(permit));
        asio::co_spawn(loop.context, session(std::move(entry), prefix_),
                       [this, handler](const std::exception_ptr& exception) {
                           // With Asio's `detached` it would vanish without a word.
                           if (exception) on_crash(handler, exception);
                       });
    });
}

}  // namespace pool
