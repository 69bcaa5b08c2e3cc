#include "05_chat/link/message.hpp"

#include <cstdlib>

// What decodes has one encoding, and that is what came in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view frame(reinterpret_cast<const char*>(data), size);
    const auto message = chat::link::decode(frame);
    if (!message.has_value()) {
        if (chat::link::reason(message.error()).empty()) std::abort();
        return 0;
    }
    std::string out;
    chat::link::encode(*message, out);
    if (std::string_view(out).substr(4) != frame) std::abort();
    return 0;
}
