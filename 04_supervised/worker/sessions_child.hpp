#pragma once

#include "03_acceptor_pool/pool.hpp"
#include "04_supervised/otp/runtime/runtime.hpp"

#include <memory>

/// The supervisor of the sessions, as a child of a worker's tree: dynamic, its children temporary (they are never
/// restarted: the client is gone). It is stage 03's Sessions; a Supervisor of our own with an entry for each session
/// would cost every connection some hundred bytes, and do no more: a session that crashes is reported, and forgotten.
class Sessions : public supervision::Life, public std::enable_shared_from_this<Sessions> {
public:
    /// `patience`: how long clients may go on after stop(), as if nothing were; then, and with 0 at once, sessions that
    /// owe no reply end, and the others may finish for `timeout`.
    Sessions(pool::Pool& pool, std::chrono::milliseconds timeout, supervision::Link link);

    /// Ends when the last session has. Acceptors must have ended before: who comes later is not waited for.
    /// In the thread of the pool's first loop, as everything here.
    void stop() override;

    /// The time of clients who may go on is over.
    void hurry();

    /// Cuts all clients off.
    void kill() override;

    /// Before stop(): how long clients may go on.
    void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }

private:
    void end_all(std::chrono::milliseconds timeout);
    void loop_is_empty();

    pool::Pool& pool_;
    std::chrono::milliseconds timeout_;
    std::chrono::milliseconds patience_{0};
    supervision::Link link_;
    net::Timer patience_timer_;
    std::size_t loops_with_clients_;
    bool was_killed_ = false;
};
