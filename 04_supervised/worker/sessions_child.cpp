#include "04_supervised/worker/sessions_child.hpp"

#include <boost/asio.hpp>

using supervision::Reason;

Sessions::Sessions(pool::Pool& pool, std::chrono::milliseconds timeout, supervision::Link link)
    : pool_(pool),
      timeout_(timeout),
      link_(std::move(link)),
      patience_timer_(pool.loops().front()->context),
      loops_with_clients_(pool.loops().size()) {}

void Sessions::stop() {
    // Posted behind the clients whom acceptors have handed over to these loops.
    for (auto& loop : pool_.loops()) {
        boost::asio::post(loop->context, [self = shared_from_this(), &loop] {
            loop->sessions.when_empty(
                [self] { boost::asio::post(self->pool_.loops().front()->context, [self] { self->loop_is_empty(); }); });
        });
    }
    if (patience_.count() == 0) return end_all(timeout_);
    patience_timer_.expires_after(patience_);
    patience_timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
        if (!cancelled) self->hurry();
    });
}

void Sessions::hurry() {
    patience_timer_.cancel();
    end_all(timeout_);
}

void Sessions::kill() {
    was_killed_ = true;
    end_all(std::chrono::milliseconds(0));
}

void Sessions::end_all(std::chrono::milliseconds timeout) {
    for (auto& loop : pool_.loops()) {
        boost::asio::post(loop->context, [&loop, timeout] { loop->sessions.stop(timeout); });
    }
}

void Sessions::loop_is_empty() {
    if (--loops_with_clients_ > 0) return;
    patience_timer_.cancel();
    link_.exited(was_killed_ ? Reason::killed() : Reason::shutdown());
}
