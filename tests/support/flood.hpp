#pragma once

#include "support/client.hpp"
#include "support/descriptor.hpp"

#include <cstdint>
#include <stop_token>
#include <thread>
#include <vector>

namespace support {

/// Connections that send line feeds as fast as they are taken, and read away what is answered. Each is a packet: no
/// other byte costs a server as much. One that is lost is not replaced.
class LineFeedFlood {
public:
    LineFeedFlood(std::uint16_t port, std::size_t connections);

private:
    static void run(const std::stop_token& stop, const std::vector<Descriptor>& sockets);

    std::vector<Descriptor> sockets_;
    std::jthread thread_;  // last: it uses the others
};

}  // namespace support
