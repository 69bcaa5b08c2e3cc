// libFuzzer: the telnet filter makes the same of a stream however it is cut, and what a slow and plain reader makes of
// it.

#include "fuzz/fuzz.hpp"
#include "net/telnet.hpp"
#include "unit/reference.hpp"

#include <string>

namespace {

using fuzz::require;
namespace telnet = net::telnet;

struct Filtered {
    std::string data;
    std::string answers;
    bool operator==(const Filtered&) const = default;
};

/// Filters `piece` and appends.
void run(telnet::Filter& filter, std::string_view piece, Filtered& filtered) {
    std::string in_place(piece);
    const auto answered = filtered.answers.size();
    const auto kept = filter.run(in_place, filtered.answers);
    require(kept <= piece.size(), "it invents nothing");
    require(filtered.answers.size() - answered <= piece.size() + 2, "it answers no more than it was asked");
    filtered.data.append(in_place, 0, kept);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view stream(reinterpret_cast<const char*>(data), size);
    fuzz::Sizes sizes(fuzz::take_byte(stream));

    Filtered at_once;
    telnet::Filter whole;
    run(whole, stream, at_once);
    const reference::Telnet slow(stream);
    require(at_once == Filtered{slow.data, slow.answers}, "it comes to what the slow reader makes of it");

    Filtered in_pieces;
    telnet::Filter filter;
    for (std::string_view rest = stream; !rest.empty();) {
        const auto piece = rest.substr(0, sizes.next());
        rest.remove_prefix(piece.size());
        run(filter, piece, in_pieces);
    }
    require(in_pieces == at_once, "pieces come to what the whole does");
    require(at_once.data.find(std::string_view("\r\0", 2)) == std::string::npos, "CR NUL is a line end");

    Filtered again;
    telnet::Filter fresh;
    run(fresh, telnet::escaped(at_once.data), again);
    require(again == Filtered{at_once.data, ""}, "escaped data is that data, and no command");
    return 0;
}
