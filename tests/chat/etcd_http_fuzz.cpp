#include "05_chat/engine/etcd/http_parser.hpp"
#include "fuzz/fuzz.hpp"

using namespace chat::etcd;

namespace {

struct Outcome {
    bool is_http = true;
    bool is_done = false;
    std::string body;
};

/// The answer, cut into pieces as the seed says; 0: in one.
Outcome parse(std::string_view bytes, HttpParser::Body kind, std::uint32_t seed) {
    HttpParser parser(kind);
    Outcome outcome;
    fuzz::Sizes sizes(seed);
    while (!bytes.empty() && outcome.is_http && !parser.is_done()) {
        const auto piece = bytes.substr(0, seed == 0 ? bytes.size() : sizes.next());
        outcome.is_http = parser.feed(piece).has_value();
        bytes.remove_prefix(piece.size());
        if (kind == HttpParser::Body::whole) continue;
        while (const auto line = parser.take_line()) {
            fuzz::require(line->find('\n') == line->npos, "a line is one line");
            outcome.body += *line + '\n';
        }
    }
    outcome.is_done = parser.is_done();
    if (outcome.is_http && !outcome.is_done) outcome.is_http = parser.end().has_value();
    if (kind == HttpParser::Body::whole) outcome.body = parser.take_body();
    if (parser.is_done()) static_cast<void>(parser.keeps_alive());
    return outcome;
}

}  // namespace

// However it is cut, it is the same answer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto kind = fuzz::take_byte(bytes) % 2 == 0 ? HttpParser::Body::whole : HttpParser::Body::lines;
    const auto seed = fuzz::take_byte(bytes);
    const auto whole = parse(bytes, kind, 0);
    const auto cut = parse(bytes, kind, 1u + seed);
    if (whole.is_http && cut.is_http) fuzz::require(whole.body == cut.body, "the same answer");
    fuzz::require(whole.body.size() <= size, "not more than came");
    return 0;
}
