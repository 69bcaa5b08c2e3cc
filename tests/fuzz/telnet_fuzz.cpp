// libFuzzer: the telnet filter makes the same of a stream however it is cut, in place or not, and is right about what
// is plain.

#include "fuzz/fuzz.hpp"
#include "net/telnet.hpp"

#include <algorithm>
#include <string>

namespace {

using fuzz::require;
namespace telnet = net::telnet;

struct Filtered {
    std::string data;
    std::string answers;
    bool operator==(const Filtered&) const = default;
};

/// Filters `piece`, line by line, and appends.
void run(telnet::Filter& filter, std::string_view piece, Filtered& filtered) {
    std::string in_place(piece);
    std::string beside(piece.size(), '\0');
    while (!piece.empty()) {
        // A copy of the filter does the same beside the input: it must make no difference.
        telnet::Filter copy = filter;
        std::string same_answers;
        const auto answered = filtered.answers.size();
        const auto other = copy.run(piece.data(), piece.size(), beside.data(), same_answers);
        const auto progress = filter.run(in_place.data(), in_place.size(), in_place.data(), filtered.answers);
        require(progress.taken > 0 && progress.taken <= piece.size(), "it goes on");
        require(progress.kept <= progress.taken, "it invents nothing");
        require(filtered.answers.size() - answered <= progress.taken + 2, "it answers no more than it was asked");
        require(other.taken == progress.taken && other.kept == progress.kept, "in place or not is the same");
        const std::string_view kept(in_place.data(), progress.kept);
        require(kept == std::string_view(beside).substr(0, other.kept), "in place or not is the same data");
        require(filtered.answers.substr(answered) == same_answers, "in place or not is the same answers");
        const auto line_feed = kept.find('\n');
        require(line_feed == kept.npos || line_feed + 1 == kept.size(), "it stops after a line feed");
        require(line_feed != kept.npos || progress.taken == piece.size(), "and only there");
        filtered.data += kept;
        piece.remove_prefix(progress.taken);
        in_place.assign(piece);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view stream(reinterpret_cast<const char*>(data), size);
    fuzz::Sizes sizes(fuzz::take_byte(stream));

    Filtered at_once;
    telnet::Filter whole;
    run(whole, stream, at_once);

    Filtered in_pieces;
    telnet::Filter filter;
    for (std::string_view rest = stream; !rest.empty();) {
        const auto piece = rest.substr(0, sizes.next());
        rest.remove_prefix(piece.size());
        if (!filter.is_plain(piece)) {
            run(filter, piece, in_pieces);
            continue;
        }
        telnet::Filter copy = filter;
        Filtered looked_at;
        run(copy, piece, looked_at);
        require(looked_at == Filtered{std::string(piece), ""}, "plain bytes come through unchanged");
        filter.pass(piece);
        in_pieces.data += piece;
    }
    require(in_pieces == at_once, "pieces come to what the whole does");
    require(at_once.data.find(std::string_view("\r\0", 2)) == std::string::npos, "CR NUL is a line end");

    std::string wire;
    telnet::append_escaped(at_once.data, wire);
    Filtered again;
    telnet::Filter fresh;
    run(fresh, wire, again);
    require(again == Filtered{at_once.data, ""}, "escaped data is that data, and no command");
    return 0;
}
