#include "net/packet.hpp"

#include "net/telnet.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace net {

std::string_view to_string(Packet mode) {
    return packet_names[static_cast<std::size_t>(mode)];
}

std::size_t header_size(Packet mode) {
    switch (mode) {
        case Packet::one: return 1;
        case Packet::two: return 2;
        case Packet::four: return 4;
        default: return 0;
    }
}

result<std::string_view> Framer::next_of_any_kind(Buffer& in, bool ended) {
    if (mode_ == Packet::line) return next_line(in, ended);
    if (mode_ != Packet::raw) return next_frame(in, ended);
    if (!in.empty()) return take(in, 0, in.bytes().size());
    return ended ? Error::closed : Error::incomplete;
}

result<std::string_view> Framer::next_line(Buffer& in, bool ended) {
    const auto bytes = in.bytes();
    const auto found = bytes.find('\n', searched_);
    const bool is_whole = found != bytes.npos;
    std::size_t size = is_whole ? found : bytes.size();
    // At the end of what has arrived, a CR may be half of CR LF, which does not count.
    if (size > max_packet_ && bytes[size - 1] == '\r') --size;
    if (size > max_packet_) return Error::too_long;
    if (is_whole) return take(in, 0, found + 1);
    if (ended && !bytes.empty()) return take(in, 0, bytes.size());
    searched_ = bytes.size();
    return ended ? Error::closed : Error::incomplete;
}

result<std::string_view> Framer::next_frame(Buffer& in, bool ended) {
    const auto bytes = in.bytes();
    if (bytes.size() >= header_) {
        std::size_t size = 0;
        for (const char byte : bytes.substr(0, header_)) size = size << 8 | static_cast<unsigned char>(byte);
        // Before waiting for it: a header that lies must not make us keep memory for what never comes.
        if (size > max_packet_) return Error::too_long;
        if (bytes.size() - header_ >= size) return take(in, header_, size);
    }
    if (!ended) return Error::incomplete;
    return bytes.empty() ? Error::closed : Error::cut_short;
}

void Framer::put_header(std::size_t size, Buffer& out) const {
    if (size >> (8 * header_) != 0) {
        throw std::length_error("a packet of " + std::to_string(size) + " bytes does not fit its header");
    }
    const auto space = out.space(header_);
    for (std::size_t i = 0; i < header_; ++i) space[i] = static_cast<char>(size >> (8 * (header_ - 1 - i)) & 0xFF);
    out.filled(header_);
}

void Framer::escape(Buffer& out) {
    const auto bytes = out.bytes();
    const auto fresh = bytes.substr(bytes.size() - std::exchange(fresh_, 0));
    if (mode_ != Packet::line || fresh.find(telnet::iac) == fresh.npos) return;
    const std::string before(bytes.substr(0, bytes.size() - fresh.size()));
    const std::string after = telnet::escaped(fresh);
    out.consume(bytes.size());
    out.append(before);
    out.append(after);
}

}  // namespace net
