#include "04_supervised/worker/worker.hpp"

#include "02_thread_per_client/threads.hpp"
#include "04_supervised/otp/runtime/coroutine_child.hpp"
#include "04_supervised/otp/runtime/reports.hpp"
#include "app/events.hpp"
#include "app/text.hpp"

#include <boost/asio.hpp>

#include <csignal>

#include <sys/prctl.h>

namespace asio = boost::asio;
using control::Message;
using supervision::Reason;

namespace {

net::Listener adopt_listener(asio::io_context& loop, const Options& options) {
    auto listener = net::adopt_listener(loop, control::listener_descriptor, options.server.socket);
    if (!listener) throw boost::system::system_error(listener.error(), "the listening socket");
    return std::move(*listener);
}

supervision::Report session_report(const app::Who& client, const std::exception_ptr& exception) {
    return {.supervisor = "connections",
            .context = supervision::Context::child_terminated,
            .reason = Reason::abnormal(app::text::what(exception)),
            .offender = {.id = "session", .label = to_string(client), .restart = supervision::Restart::temporary}};
}

/// Stage 03's acceptor as a child. It ends by itself when nobody may accept any more, which is as it should be.
net::awaitable<Reason> accept_clients(pool::Pool& pool, std::uint64_t number) {
    co_await pool::accept_loop(pool, number);
    co_return pool.is_stopping() ? Reason::shutdown() : Reason::abnormal("the listening socket has gone");
}

}  // namespace

Worker::Worker(const Options& options)
    : options_(options),
      root_(control_loop_, Descriptor(control::control_descriptor)),
      sigterm_(control_loop_, SIGTERM),
      pool_(options.pool, options.server.reply_prefix(),
            [&](asio::io_context& loop) { return adopt_listener(loop, options); }) {
    pool_.on_crash = [](app::Who client, const std::exception_ptr& exception) {
        supervision::tell(session_report(client, exception));
    };
}

int Worker::run(const supervision::SupFlags& flags, const std::vector<supervision::ChildSpec>& tree) {
    // ^C, or the terminal's end, comes to the whole process group: what is to be done then, the root says.
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGHUP, SIG_IGN);
    // The kernel's own promise that nobody outlives the root; the end of the control socket is the portable one.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, ("worker-" + std::to_string(options_.worker)).c_str());
    sigterm_.async_wait([this](boost::system::error_code, int) {
        is_asked_to_exit_ = true;
        is_drained_ ? leave() : drain(false);
    });
    sigset_t none;
    sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);

    tree_ = std::make_shared<supervision::Driver>(
        pool_.loops().front()->context,
        supervision::Supervisor("worker-" + std::to_string(options_.worker), flags, tree),
        supervision::Driver::Listeners{.exited = [this](const Reason&) { in_main([this] { tree_is_over(); }); },
                                       .report = [](const auto& report) { supervision::tell(report); },
                                       .changed = [this] { tell_root_of_change(); }});
    pool_.watch_idle();
    root_.start([this](const Message& message) { receive(message); }, [] { std::_Exit(EXIT_FAILURE); });
    Threads threads;
    for (auto& loop : pool_.loops()) threads.start([&loop] { loop->run(); });
    root_.send(Message::Kind::ready);
    control_loop_.run();

    for (auto& loop : pool_.loops()) loop->context.stop();
    constexpr std::chrono::seconds stuck{1};
    if (!threads.join_all(stuck)) std::_Exit(EXIT_FAILURE);
    pool_.tell_accepted();
    return control::exit_shutdown;
}

// ---- the tree -------------------------------------------------------------------------------------------------------

supervision::Start Worker::connections() {
    return [this](const supervision::Link& link) {
        auto sessions = std::make_shared<Sessions>(pool_, options_.pool.shutdown_timeout, link);
        sessions->set_patience(patience_);
        sessions_ = sessions;
        link.started();
        return sessions;
    };
}

supervision::Start Worker::acceptor(std::uint64_t number) {
    // Not cancelled, since it may be setting a client up: it goes on until the listening socket is closed.
    return supervision::coroutine_child(
        pool_.loops().front()->context, [this, number] { return accept_clients(pool_, number); },
        [this] {
            if (!pool_.is_stopping()) pool_.stop_accepting();
        });
}

supervision::Start Worker::supervisor(const std::string& name, const supervision::SupFlags& flags,
                                      const std::vector<supervision::ChildSpec>& children) {
    return supervision::supervisor_child(
        pool_.loops().front()->context, name, flags, children, [](const auto& report) { supervision::tell(report); },
        [this] { tell_root_of_change(); });
}

/// The tree's own end, in its order: first the acceptors, then the sessions.
void Worker::drain(bool clients_may_go_on) {
    const bool is_first = !std::exchange(is_draining_, true);
    in_tree([this, clients_may_go_on, is_first] {
        const auto sessions = sessions_.lock();
        if (!is_first) {
            if (!clients_may_go_on && patience_.count() > 0 && sessions) sessions->hurry();
            return;
        }
        if (clients_may_go_on) patience_ = options_.pool.shutdown_timeout;
        if (sessions) sessions->set_patience(patience_);
        tree_->exit(Reason::shutdown());
    });
}

void Worker::tree_is_over() {
    is_drained_ = true;
    if (is_draining_ && !is_asked_to_exit_) return root_.send(Message::Kind::drained);
    leave();  // asked to, or because the tree has given up by itself: the root will see that it has gone
}

void Worker::leave() {
    control_loop_.stop();
}

// ---- the root -------------------------------------------------------------------------------------------------------

void Worker::receive(const Message& message) {
    switch (message.kind) {
        case Message::Kind::start_accepting:
            if (!is_draining_) in_tree([this] { tree_->start(); });
            return;
        case Message::Kind::heartbeat: return answer_heartbeat();
        case Message::Kind::stop: return drain(false);
        case Message::Kind::retire: return drain(true);
        case Message::Kind::get_tree: return send_tree();
        default: return;  // what only workers say
    }
}

/// Every loop must have moved since the last heartbeat: what is posted here is a turn even of a loop with nothing to
/// do, and one with so much to do that it has not come to it, has taken others.
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
    asio::post(control_loop_, std::move(what));
}
