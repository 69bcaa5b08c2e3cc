#include "04_supervised/worker/worker.hpp"

#include "02_thread_per_client/threads.hpp"
#include "04_supervised/otp/runtime/coroutine_child.hpp"
#include "04_supervised/otp/runtime/reports.hpp"
#include "04_supervised/process/worker_process.hpp"
#include "app/events.hpp"
#include "app/text.hpp"

#include <boost/asio.hpp>

namespace supervised {

namespace asio = boost::asio;
using otp::Reason;
using process::Message;

namespace {

otp::Report session_report(const app::Who& client, const std::exception_ptr& exception) {
    return {.supervisor = "sessions",
            .context = otp::Context::child_terminated,
            .reason = Reason::abnormal(app::text::what(exception)),
            .offender = {.id = "session", .label = to_string(client), .restart = otp::Restart::temporary}};
}

/// Stage 03's acceptor as a child. It ends by itself when nobody may accept any more, which is as it should be.
net::awaitable<Reason> accept_clients(pool::Pool& pool, std::uint64_t number) {
    co_await pool::accept_loop(pool, number);
    co_return pool.is_stopping() ? Reason::shutdown() : Reason::abnormal("the listening socket has gone");
}

}  // namespace

Worker::Worker(const Options& options)
    : options_(options),
      name_("worker-" + std::to_string(options.worker)),
      root_(main_loop_, process::Descriptor(process::channel_descriptor)),
      sigterm_(main_loop_, SIGTERM),
      pool_(options.pool, options.server.reply_prefix(),
            [&](asio::io_context& loop) { return process::adopt_listener(loop, options.server.socket); }) {
    pool_.on_crash = [](app::Who client, const std::exception_ptr& exception) {
        otp::tell(session_report(client, exception));
    };
}

int Worker::run(const otp::SupFlags& flags, const std::vector<otp::ChildSpec>& tree) {
    sigterm_.async_wait([this](boost::system::error_code, int) { sigterm(); });
    process::become_worker(name_);
    tree_ = std::make_shared<otp::Runtime>(
        pool_.loops().front()->context, otp::Supervisor(name_, flags, tree),
        otp::Runtime::Callbacks{.exited = [this](const Reason&) { in_main([this] { tree_is_over(); }); },
                                .report = [](const otp::Report& report) { otp::tell(report); },
                                .progress = [](const otp::Progress& progress) { otp::tell_detail(progress); },
                                .changed = [this] { tell_root_of_change(); }});
    pool_.watch_idle();
    root_.start([this](const Message& message) { receive(message); }, [] { std::_Exit(EXIT_FAILURE); });
    run_loops();
    pool_.tell_accepted();
    return process::exit_shutdown;
}

/// The pool's loops in threads of their own, the talk with the root in this one, until leave().
void Worker::run_loops() {
    Threads threads;
    for (auto& loop : pool_.loops()) threads.start([&loop] { loop->run(); });
    root_.send(Message::Kind::ready);
    main_loop_.run();

    for (auto& loop : pool_.loops()) loop->context.stop();
    constexpr std::chrono::seconds stuck{1};
    if (!threads.join_all(stuck)) std::_Exit(EXIT_FAILURE);
}

// ---- the tree -------------------------------------------------------------------------------------------------------

otp::Start Worker::sessions() {
    return [this](const otp::ReportTo& report_to) {
        auto sessions = std::make_shared<SessionsChild>(pool_, options_.pool.shutdown_timeout, report_to);
        sessions->set_patience(patience_);
        sessions_ = sessions;
        report_to.started();
        return sessions;
    };
}

otp::Start Worker::acceptor(std::uint64_t number) {
    // It may be setting a client up, so it is not cancelled: it goes on until the listening socket is closed.
    const auto close_listener = [this] {
        if (!pool_.is_stopping()) pool_.stop_accepting();
    };
    return otp::coroutine_child(
        pool_.loops().front()->context, [this, number] { return accept_clients(pool_, number); }, close_listener);
}

otp::Start Worker::supervisor(const std::string& name, const otp::SupFlags& flags,
                              const std::vector<otp::ChildSpec>& children) {
    return otp::supervisor_child(
        pool_.loops().front()->context, name, flags, children, [](const otp::Report& report) { otp::tell(report); },
        [this] { tell_root_of_change(); }, [](const otp::Progress& progress) { otp::tell_detail(progress); });
}

/// Ends the tree in its order: first the acceptors, then the sessions, whose clients may go on for `patience`. Called
/// again, it can only shorten the patience.
void Worker::drain(std::chrono::milliseconds patience) {
    const bool is_first = !std::exchange(is_draining_, true);
    in_tree([this, patience, is_first] {
        if (!is_first && patience >= patience_) return;
        patience_ = patience;
        if (const auto sessions = sessions_.lock()) sessions->set_patience(patience);
        if (is_first) tree_->exit(Reason::shutdown());
    });
}

void Worker::tree_is_over() {
    is_drained_ = true;
    if (is_draining_ && !is_asked_to_exit_) return root_.send(Message::Kind::drained);
    leave();  // it is asked to, or its tree has given up: the root will see its end
}

void Worker::leave() {
    main_loop_.stop();
}

// ---- the root -------------------------------------------------------------------------------------------------------

void Worker::sigterm() {
    is_asked_to_exit_ = true;
    if (is_drained_) {
        leave();
    } else {
        drain(std::chrono::milliseconds(0));
    }
}

void Worker::receive(const Message& message) {
    switch (message.kind) {
        case Message::Kind::start_accepting:
            if (!is_draining_) in_tree([this] { tree_->start(); });
            return;
        case Message::Kind::heartbeat: return answer_heartbeat();
        case Message::Kind::stop: return drain(std::chrono::milliseconds(0));
        case Message::Kind::retire: return drain(options_.pool.shutdown_timeout);
        case Message::Kind::get_tree: return send_tree();
        case Message::Kind::ready:
        case Message::Kind::alive:
        case Message::Kind::drained:
        case Message::Kind::tree:
        case Message::Kind::changed:
        case Message::Kind::fails: return;  // only workers say this
    }
}

/// Answers if every loop has moved since the last heartbeat. A loop with nothing to do moves by what is posted here. A
/// loop with so much to do that it has not come to this has moved by all the rest.
void Worker::answer_heartbeat() {
    bool all_move = true;
    for (auto& loop : pool_.loops()) {
        const auto turns = loop->turns.load();
        all_move = std::exchange(turns_seen_[loop.get()], turns) != turns && all_move;
        asio::post(loop->context, [&loop] { net::count_turn(loop->turns); });
    }
    if (all_move) root_.send(Message::Kind::alive);
}

void Worker::send_tree() {
    in_tree([this] {
        constexpr std::size_t below_root_and_worker = 2;
        in_main([this, tree = tree_->tree(below_root_and_worker)] { root_.send(Message::Kind::tree, tree); });
    });
}

void Worker::tell_root_of_change() {
    if (options_.tree) in_main([this] { root_.send(Message::Kind::changed); });
}

void Worker::in_tree(std::function<void()> what) {
    asio::post(pool_.loops().front()->context, std::move(what));
}

void Worker::in_main(std::function<void()> what) {
    asio::post(main_loop_, std::move(what));
}

}  // namespace supervised
