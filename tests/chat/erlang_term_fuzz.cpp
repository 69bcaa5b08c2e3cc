#include "05_chat/erlang/dist/term.hpp"

#include "app/text.hpp"

#include <cstdlib>

// Whatever the bytes: no reader takes more than there is, text is at most twice as long as on the wire, what is shown
// is printable and bounded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using erlang::TermReader;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto term = TermReader(bytes).any()) {
        // A term that is well-formed is so without what comes after it.
        TermReader again(*term);
        if (!again.any() || !again.empty()) std::abort();
    }
    TermReader text(bytes);
    if (const auto value = text.text()) {
        if (value->size() > 2 * bytes.size()) std::abort();
    } else if (text.rest().size() != bytes.size()) {
        std::abort();
    }
    TermReader in(bytes);
    while (!in.empty()) {
        if (!in.tuple() && !in.list() && !in.atom() && !in.integer() && !in.pid() && !in.reference() && !in.any())
            break;
    }
    const std::string shown = erlang::show(bytes);
    if (!app::text::is_utf8(shown) || shown.size() > 4000) std::abort();
    return 0;
}
