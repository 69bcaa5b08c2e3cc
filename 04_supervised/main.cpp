// Options of 04_supervised, and which process this is, the root or a worker; what it teaches is in server.cpp.

#include "04_supervised/server.hpp"
#include "app/story.hpp"
#include "net/error.hpp"

#include <iostream>

int main(int argc, char** argv) {
    supervised::Options options;
    options.parse_or_exit(argc, argv);
    if (options.worker > 0) app::story::speak_as({"worker", options.worker});
    options.server.apply();
    if (options.worker == 0) return run_root(options);
    try {
        return run_worker(options);
    } catch (const boost::system::system_error& error) {
        if (net::is_shortage(error.code())) throw;  // the root has started it, but there is too little to begin with
        std::cerr << "04_supervised: --as-worker is only for the root to use: " << net::reason(error.code())
                  << std::endl;
        return EXIT_FAILURE;
    }
}
