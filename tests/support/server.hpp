#pragma once

#include "support/program.hpp"

#include <cstdint>

namespace support {

/// One of this repository's servers, listening on a free port. Its story (stdout) is collected by Program.
class Server : public Program {
public:
    /// Starts `program` (as "01_naive") with `--port 0` and then `options`, and waits for its first line,
    /// `Listening on HOST:PORT`. `conditions` may set everything of a Command but its words.
    /// Failure when the line does not come: with what came instead, and what was on stderr.
    explicit Server(const std::string& program, const std::vector<std::string>& options = {}, Command conditions = {});

    std::uint16_t port() const { return port_; }

private:
    std::uint16_t port_;
};

}  // namespace support
