#include "04_supervised/otp/runtime/coroutine_child.hpp"
#include "03_acceptor_pool/pool.hpp"
#include "supervised/play.hpp"

#include "support/client.hpp"

#include <boost/asio.hpp>

#include <stdexcept>

// A child that is a coroutine: an exception ends one coroutine, the supervisor does the rest.

namespace asio = boost::asio;
using namespace otp;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

/// A child that waits to be told what to do.
struct Puppet {
    explicit Puppet(asio::io_context& loop) : timer(loop, net::Timer::time_point::max()) {}

    void raise(const std::string& words) {
        act([words] { throw std::runtime_error(words); });
    }
    void finish(Reason reason = Reason::normal()) {
        act([this, reason] { returns = reason; });
    }
    void act(std::function<void()> what) {
        next = std::move(what);
        timer.cancel();
    }

    net::Timer timer;
    std::function<void()> next;
    Reason returns = Reason::normal();
    int lives = 0;
};

net::awaitable<Reason> dance(Puppet& puppet) {
    ++puppet.lives;
    puppet.next = {};
    co_await puppet.timer.async_wait(net::outcome);
    if (puppet.next) {
        puppet.next();
        co_return puppet.returns;
    }
    // Cancelled: the next wait throws operation_aborted.
    co_await puppet.timer.async_wait(net::outcome);
    co_return Reason::abnormal("went on after it was cancelled");
}

class CoroutineChild : public testing::Test, protected Play {
protected:
    ChildSpec child(const std::string& id, Puppet& puppet) {
        return {.id = id, .argument = coroutine_child(loop, [&puppet] { return dance(puppet); })};
    }
    void run_until_lives(const Puppet& puppet, int lives) {
        run_until([&] { return puppet.lives == lives; }, "it has had " + std::to_string(lives) + " lives");
    }

    Puppet a{loop}, b{loop}, c{loop};
};

TEST_F(CoroutineChild, ExceptionIsReportedAndTheChildRestartedWhileItsSiblingGoesOn) {
    start({.intensity = 3}, {child("a", a), child("b", b)});
    run_until_up();
    run_until_lives(b, 1);
    a.raise("no idea");
    run_until_lives(a, 2);
    run_until([this] { return children() == "a running, b running"; }, "both run");
    EXPECT_THAT(reports, ElementsAre("top child_terminated a: no idea"));
    EXPECT_EQ(b.lives, 1);
    stop();
}

TEST_F(CoroutineChild, WhatItReturnsIsItsReason) {
    auto transient = child("a", a);
    transient.restart = Restart::transient;
    start({}, {transient, child("b", b)});
    run_until_up();
    run_until_lives(b, 1);
    a.finish(Reason::shutdown("that is all"));
    run_until([&] { return children() == "a undefined, b running"; }, "a has ended for good");
    EXPECT_THAT(reports, IsEmpty());
    stop();
}

TEST_F(CoroutineChild, StoppingCancelsItsWaitAndCountsAsShutdown) {
    start({}, {child("a", a), child("b", b)});
    run_until_up();
    stop();
    EXPECT_EQ(*over, Reason::shutdown());
    EXPECT_THAT(reports, IsEmpty());
    EXPECT_EQ(a.lives, 1);
}

TEST_F(CoroutineChild, OneThatNeverStartedToRunIsStoppedToo) {
    start({}, {child("a", a)});
    stop();
    EXPECT_EQ(*over, Reason::shutdown());
}

TEST_F(CoroutineChild, ThatFailsWhileItStopsIsAShutdownError) {
    auto spec = child("a", a);
    spec.argument = coroutine_child(loop, [this] { return dance(a); }, [this] { a.raise("not like this"); });
    start({}, {spec});
    run_until_up();
    run_until_lives(a, 1);
    stop();
    EXPECT_THAT(reports, ElementsAre("top shutdown_error a: not like this"));
}

TEST_F(CoroutineChild, WhoIgnoresBeingAskedIsCancelledWhenItsTimeIsUp) {
    auto spec = child("a", a);
    spec.shutdown = Shutdown::timeout(10ms);
    spec.argument = coroutine_child(loop, [this] { return dance(a); }, [] {});
    start({}, {spec});
    run_until_up();
    run_until_lives(a, 1);
    stop();
    EXPECT_THAT(reports, ElementsAre("top shutdown_error a: killed"));
}

TEST_F(CoroutineChild, AStartThatThrowsHasFailed) {
    start({}, {{.id = "a", .argument = coroutine_child(loop, [this]() -> net::awaitable<Reason> {
                               throw std::runtime_error("cannot begin");
                               return dance(a);
                           })}});
    run_until_over();
    EXPECT_FALSE(is_up);
    EXPECT_THAT(reports, ElementsAre("top start_error a: cannot begin"));
}

TEST_F(CoroutineChild, TooManyExceptionsEndTheSupervisor) {
    start({.intensity = 2}, {child("a", a), child("b", b)});
    run_until_up();
    for (int crash = 1; crash <= 3; ++crash) {
        run_until_lives(a, crash);
        run_until_lives(b, 1);
        a.raise("again");
    }
    run_until_over();
    EXPECT_EQ(*over, Reason::shutdown());
    EXPECT_EQ(reports.back(), "top shutdown a: reached_max_restart_intensity");
}

// top: [b, supervisor inner: [a, c]]
class NestedSupervisor : public CoroutineChild {
protected:
    NestedSupervisor() {
        const std::vector<ChildSpec> below{child("a", a), child("c", c)};
        const auto report = [this](const Report& said) { add(said); };
        start({.strategy = Strategy::rest_for_one, .intensity = 1},
              {child("b", b),
               {.id = "inner",
                .type = ChildType::supervisor,
                .argument = supervisor_child(loop, "inner", {.intensity = 1}, below, report)}});
        run_until_up();
        run_until_lives(a, 1);
        run_until_lives(c, 1);
    }
};

TEST_F(NestedSupervisor, RestartsItsOwnAndNobodyElse) {
    a.raise("once");
    run_until_lives(a, 2);
    EXPECT_EQ(b.lives, 1);
    EXPECT_EQ(c.lives, 1);
    EXPECT_THAT(reports, ElementsAre("inner child_terminated a: once"));
    stop();
}

TEST_F(NestedSupervisor, EscalatesOneLevelWhenItIsTooMuch) {
    a.raise("once");
    run_until_lives(a, 2);
    a.raise("twice");
    run_until_lives(a, 3);  // a new inner supervisor, with new children
    run_until_lives(c, 2);
    EXPECT_EQ(b.lives, 1);
    EXPECT_THAT(reports,
                ElementsAre("inner child_terminated a: once", "inner child_terminated a: twice",
                            "inner shutdown a: reached_max_restart_intensity", "top child_terminated inner: shutdown"));
    stop();
}

TEST_F(NestedSupervisor, GivesUpAtTheTopWhenTheInnerOneHasGivenUpTooOften) {
    for (int crash = 1; crash <= 4; ++crash) {
        run_until_lives(a, crash);
        a.raise("again");
    }
    run_until_over();
    EXPECT_EQ(reports.back(), "top shutdown inner: reached_max_restart_intensity");
}

TEST_F(NestedSupervisor, IsStoppedWithAllItsChildren) {
    stop();
    EXPECT_EQ(*over, Reason::shutdown());
    EXPECT_THAT(reports, IsEmpty());
}

TEST_F(NestedSupervisor, ShowsWhatIsBelow) {
    const auto tree = runtime->tree(0);
    EXPECT_THAT(tree, testing::HasSubstr("b  <1>  running  0 restarts"));
    EXPECT_THAT(tree, testing::HasSubstr("inner  <2>  running  0 restarts"));
    EXPECT_THAT(tree, testing::HasSubstr("    a  <1>  running  0 restarts"));
    stop();
}

// Stage 03's acceptors as children: one that throws is replaced, and takes nobody's session with it.
TEST_F(CoroutineChild, AnAcceptorThatThrowsIsRestartedAndSessionsGoOn) {
    pool::Options options;
    options.acceptors = options.threads = 1;
    pool::Pool pool(options, "ECHO ", [](asio::io_context& where) {
        return net::listen(where, "127.0.0.1", 0, net::SocketOptions()).value();
    });
    int clients = 0;
    pool.set_up = [&](std::uint64_t, net::AsyncSocket&) -> net::awaitable<void> {
        if (++clients == 2) throw std::runtime_error("cannot set this one up");
        co_return;
    };
    auto& pool_loop = pool.loops().front()->context;
    std::vector<std::string> said;
    auto supervisor = std::make_shared<Runtime>(
        pool_loop,
        Supervisor("acceptors", {.intensity = 1},
                   {{.id = "acceptor-1",
                     .argument = coroutine_child(
                         pool_loop,
                         [&pool] {
                             return [](pool::Pool& of) -> net::awaitable<Reason> {
                                 co_await pool::accept_loop(of, 1);
                                 co_return Reason::shutdown();
                             }(pool);
                         },
                         [&pool] { pool.stop_accepting(); })}}),
        Runtime::Callbacks{.exited = [&](const Reason&) { pool_loop.stop(); },
                           .report = [&](const Report& report) { said.push_back(to_string(report.reason)); }});
    supervisor->start();
    const auto port = pool.listener().sockname().port();
    std::thread thread([&] { pool_loop.run(); });
    {
        support::Client first(port), second(port);
        first.send("one\n");
        EXPECT_EQ(first.recv_line(), "ECHO one\n");
        second.wait_for_end();
        support::Client third(port);
        third.send("three\n");
        EXPECT_EQ(third.recv_line(), "ECHO three\n");
        first.send("still here\n");
        EXPECT_EQ(first.recv_line(), "ECHO still here\n");
        first.half_close();
        third.half_close();
        first.recv_until_close();
        third.recv_until_close();
    }
    supervisor->exit(Reason::shutdown());
    thread.join();
    EXPECT_THAT(said, ElementsAre("cannot set this one up"));
}

}  // namespace
