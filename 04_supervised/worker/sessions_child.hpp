#pragma once

#include "03_acceptor_pool/pool.hpp"
#include "04_supervised/otp/runtime/runtime.hpp"

#include <memory>

namespace supervised {

/// The sessions of a worker, as a child of its tree. In OTP this would be a dynamic supervisor with temporary children,
/// which are never restarted: the client is gone. Here it is stage 03's pool::Sessions. An entry in a Supervisor
/// for each session would cost every connection some hundred bytes and do no more: a session that crashes is reported,
/// and forgotten.
///
/// Everything happens in the thread of the pool's first loop.
class SessionsChild : public otp::Child, public std::enable_shared_from_this<SessionsChild> {
public:
    /// `timeout`: how long sessions that owe a reply may take to finish, once they are to end.
    SessionsChild(pool::Pool& pool, std::chrono::milliseconds timeout, otp::ReportTo report_to);

    /// For how long clients may go on after stop(), as if nothing were. Then, and with 0 at once, their sessions are to
    /// end. May be called after stop() too: the time begins anew.
    void set_patience(std::chrono::milliseconds patience);

    /// Reports its end when the last session has ended. The acceptors must have ended before: a client that they accept
    /// later is not waited for.
    void stop() override;

    /// Cuts all clients off.
    void kill() override;

private:
    void wait_patiently();
    void end_all(std::chrono::milliseconds timeout);
    void loop_is_empty();

    pool::Pool& pool_;
    std::chrono::milliseconds timeout_;
    std::chrono::milliseconds patience_{0};
    otp::ReportTo report_to_;
    net::Timer patience_timer_;
    std::size_t loops_with_clients_;
    bool is_stopping_ = false, was_killed_ = false;
};

}  // namespace supervised
