#pragma once

#include "03_acceptor_pool/pool.hpp"
#include "04_supervised/otp/spec.hpp"
#include "app/options.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace supervised {

/// The options of 04_supervised. Root and workers read the same command line; a worker finds one word more in it.
struct Options {
    unsigned workers;  ///< by default one for each processor, but at least two
    otp::Strategy strategy = otp::Strategy::one_for_one;
    int max_restarts = 3;           ///< Elixir's defaults
    unsigned max_seconds = 5;       ///< … within this many seconds
    unsigned restart_delay_ms = 0;  ///< 0, as OTP
    unsigned watchdog_ms = 2000;    ///< 0: none
    bool tree = false;
    pool::Options pool;  ///< of each worker
    app::ServerOptions server;

    /// The number of the worker that this process is; 0: it is the root.
    unsigned worker = 0;
    /// What this process was started with. The first is the program's name.
    std::vector<std::string> arguments;

    Options();

    /// Reads the command line; see app::CommandLine::parse_or_exit().
    void parse_or_exit(int argc, char** argv);

    /// How many restarts each supervisor allows, here and in the workers.
    otp::SupFlags flags(otp::Strategy of) const;

    /// The command line that makes this program the worker `number`.
    std::vector<std::string> arguments_of_worker(unsigned number) const;
};

}  // namespace supervised
