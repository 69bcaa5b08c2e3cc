#include "05_chat/engine/etcd/gateway_json.hpp"
#include "fuzz/fuzz.hpp"

using namespace chat::etcd;

// Whatever answers in etcd's place: it is understood or not, in words that can be printed, and nothing else happens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto which = fuzz::take_byte(text);
    const auto is_line = [](std::string_view words) { return !words.empty() && words.find('\n') == words.npos; };
    switch (which % 7) {
        case 0: static_cast<void>(json::read_transaction(text)); break;
        case 1: {
            const auto page = json::read_range(text);
            if (page && page->has_more) fuzz::require(!page->keys.empty(), "more keys follow after one");
            break;
        }
        case 2: {
            const auto lease = json::read_grant(text);
            if (lease) fuzz::require(*lease != 0, "a lease has a number");
            break;
        }
        case 3: static_cast<void>(json::read_keep_alive(text)); break;
        case 4: {
            const auto line = json::read_watch(text);
            if (line && line->is_over) fuzz::require(is_line(line->is_over->words), "one line says why it is over");
            break;
        }
        case 5: {
            const auto refusal = json::read_refusal(text);
            if (refusal) fuzz::require(is_line(refusal->words), "one line says why it was refused");
            break;
        }
        default: {
            const auto bytes = json::from_base64(text);
            if (bytes) fuzz::require(json::from_base64(json::to_base64(*bytes)) == bytes, "there and back");
            fuzz::require(json::from_base64(json::to_base64(text)) == text, "back and there");
        }
    }
    return 0;
}
