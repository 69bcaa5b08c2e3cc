#pragma once

#include "03_acceptor_pool/connection_limit.hpp"
#include "03_acceptor_pool/sessions.hpp"
#include "app/door.hpp"
#include "app/options.hpp"
#include "app/thread_name.hpp"
#include "net/listener.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace pool {

namespace asio = boost::asio;

/// The options of this stage.
struct Options {
    unsigned acceptors = 8;
    unsigned threads;              ///< event loops; by default one for each processor this process may use
    unsigned max_connections = 0;  ///< 0: no limit
    Overload overload = Overload::queue;
    std::chrono::milliseconds idle_timeout{0};  ///< 0: no limit
    unsigned setup_ms = 0;                      ///< a costly set-up for each connection, to see what the pool is for
    std::chrono::milliseconds shutdown_timeout{5000};

    Options();
    /// `heading` stands above them in --help.
    void declare(app::CommandLine& line, const std::string& heading = "This stage");
};

/// An event loop: one thread runs it, and what belongs to it is touched by that thread only.
struct Loop {
    explicit Loop(unsigned its_number) : number(its_number) {}

    const unsigned number;  ///< from 1, for people
    asio::io_context context{1};
    Sessions sessions{context};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    /// Grows as long as the loop moves, however much it has to do. Read by any thread.
    std::atomic<std::uint64_t> turns{0};

    /// Runs in this thread until all is over.
    void run() {
        app::name_thread({"loop", number});
        net::turns = &turns;
        context.run();
    }
};

/// Acceptors that share one listening socket, and the loops that their clients are spread over.
/// Everything runs in the first loop's thread, except where it says otherwise. Destroyed when the loops have ended.
class Pool {
public:
    /// Makes the loops and, in the first of them, listens by calling `listen`.
    Pool(const Options& options, std::string_view prefix,
         const std::function<net::Listener(asio::io_context&)>& listen);

    /// Starts the acceptors. They accept as soon as threads run the loops. `on_deaf` is called when the last one has
    /// died of an exception: nobody accepts any more.
    void start(const std::function<void()>& on_deaf);

    /// Stops accepting and lets go of the port; clients that are owed nothing are closed, the others may finish for
    /// `shutdown_timeout`, then they are cut off. The loops' run() returns when all is over. Any thread; once.
    void stop();

    // The parts of start() and stop(), for a supervisor that starts and stops acceptors in its own way.

    /// Sends idle clients away, where the options say so.
    void watch_idle();

    /// Lets go of the port, for good: the acceptors end by themselves. Once.
    void stop_accepting();

    /// Whether stop_accepting() was called.
    bool is_stopping() const { return stopping_; }

    /// Hears of every exception that ended an acceptor or a session, in the thread where it happened. To be set before
    /// the start; by default it is told, and that is all.
    std::function<void(app::Who, const std::exception_ptr&)> on_crash;

    /// Tells who accepted how many. When the loops have ended.
    void tell_accepted() const;

    std::vector<std::unique_ptr<Loop>>& loops() { return loops_; }

    // What an acceptor needs.
    net::Listener& listener() { return listener_; }
    ConnectionLimit& limit() { return limit_; }
    Loop& next_loop() { return *loops_[turn_++ % loops_.size()]; }
    /// Waits; or less long, when the pool stops.
    net::awaitable<void> wait(std::uint64_t acceptor, std::chrono::milliseconds time);
    /// The costly set-up. Tests put their own here.
    std::function<net::awaitable<void>(std::uint64_t acceptor, net::AsyncSocket&)> set_up;
    /// Serves a client in its loop.
    void start_session(std::uint64_t acceptor, Loop& loop, net::AsyncSocket socket, Permit permit);

private:
    struct Acceptor {
        net::Timer timer;  // what it waits for besides clients
        std::uint64_t accepted = 0;
    };

    void stop_sessions();

    Options options_;
    std::string_view prefix_;
    std::vector<std::unique_ptr<Loop>> loops_;
    net::Listener listener_;
    ConnectionLimit limit_;
    std::vector<Acceptor> acceptors_;
    std::size_t turn_ = 0;       // whose loop the next client gets
    std::uint64_t clients_ = 0;  // the last client's number
    unsigned accepting_ = 0;     // acceptors that live
    bool stopping_ = false;
};

/// What server.cpp shows.
net::awaitable<void> serve(app::AsyncClient& client, std::string_view prefix);
net::awaitable<void> session(Sessions::Entry entry, std::string_view prefix);
net::awaitable<void> accept_loop(Pool& pool, std::uint64_t number);

}  // namespace pool
