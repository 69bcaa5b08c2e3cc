#pragma once

#include "support/descriptor.hpp"

#include <atomic>
#include <cstdint>
#include <thread>

namespace chat_tests {

/// A cable between clients and a server on this machine, which can be cut: then nothing gets through and neither end is
/// told, as with a real one. What is connected when it is cut stays dead; mended, it carries new connections.
class Relay {
public:
    explicit Relay(std::uint16_t to);
    ~Relay();

    /// Where clients connect.
    std::uint16_t port() const { return port_; }
    void cut() { is_cut_ = true; }
    void mend() { is_cut_ = false; }
    /// Hangs up on the clients, and the server is not told: as a router does that has forgotten its connections.
    void forget_clients() { forgets_ = true; }

private:
    void run();

    support::Descriptor listener_, stop_read_, stop_write_;
    std::uint16_t port_ = 0;
    std::uint16_t to_;
    std::atomic<bool> is_cut_ = false;
    std::atomic<bool> forgets_ = false;
    std::thread thread_;
};

}  // namespace chat_tests
