#include "04_supervised/worker/sessions_child.hpp"

#include <boost/asio.hpp>

namespace supervised {

namespace asio = boost::asio;
using otp::Reason;

SessionsChild::SessionsChild(pool::Pool& pool, std::chrono::milliseconds timeout, otp::ReportTo report_to)
    : pool_(pool),
      timeout_(timeout),
      report_to_(std::move(report_to)),
      patience_timer_(pool.loops().front()->context),
      loops_with_clients_(pool.loops().size()) {}

void SessionsChild::set_patience(std::chrono::milliseconds patience) {
    patience_ = patience;
    if (is_stopping_) wait_patiently();
}

void SessionsChild::stop() {
    is_stopping_ = true;
    // Posted behind the clients that acceptors have handed over to these loops.
    for (auto& loop : pool_.loops()) {
        asio::post(loop->context, [self = shared_from_this(), &loop] {
            loop->sessions.when_empty(
                [self] { asio::post(self->pool_.loops().front()->context, [self] { self->loop_is_empty(); }); });
        });
    }
    wait_patiently();
}

void SessionsChild::wait_patiently() {
    patience_timer_.cancel();
    if (patience_.count() == 0) return end_all(timeout_);
    patience_timer_.expires_after(patience_);
    patience_timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
        if (!cancelled) self->end_all(self->timeout_);
    });
}

void SessionsChild::kill() {
    was_killed_ = true;
    end_all(std::chrono::milliseconds(0));
}

void SessionsChild::end_all(std::chrono::milliseconds timeout) {
    for (auto& loop : pool_.loops()) {
        asio::post(loop->context, [&loop, timeout] { loop->sessions.stop(timeout); });
    }
}

void SessionsChild::loop_is_empty() {
    if (--loops_with_clients_ > 0) return;
    patience_timer_.cancel();
    report_to_.exited(was_killed_ ? Reason::killed() : Reason::shutdown());
}

}  // namespace supervised
