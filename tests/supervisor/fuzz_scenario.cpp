// libFuzzer: any bytes are a scenario, or a mistake with a line and a message. What is a scenario is also played.

#include "04_supervised/otp/lab/scenario.hpp"
#include "04_supervised/otp/lab/simulator.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto scenario = lab::parse({reinterpret_cast<const char*>(data), size});
    if (!scenario) {
        if (scenario.error().line == 0 || scenario.error().message.empty()) std::abort();
        return 0;
    }
    lab::Simulator simulator(*scenario);
    simulator.run();
    simulator.tree();
    return 0;
}
