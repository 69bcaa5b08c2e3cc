#include "net/packet.hpp"

#include "net/telnet.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace net {

result<std::string_view> Framer::next(Buffer& in, bool ended) {
    if (mode_ == Packet::line) return next_line(in, ended);
    if (mode_ != Packet::raw) return next_frame(in, ended);
    const auto bytes = in.bytes();
    if (bytes.empty()) return ended ? Error::closed : Error::incomplete;
    in.consume(bytes.size());
    return bytes;
}

boost::system::error_code Framer::next_all(Buffer& in, bool ended, std::size_t most,
                                           std::vector<std::string_view>& packets) {
    if (mode_ == Packet::line) next_whole_lines(in, most, packets);
    while (packets.size() < most) {
        if (in.empty() && !ended) return Error::incomplete;
        const auto packet = next(in, ended);
        if (!packet) return packet.error();
        packets.push_back(*packet);
    }
    return {};
}

/// Whole lines are what comes a million times a second. All that the loop needs stands in local variables: with each
/// line that it stores, the compiler would read members anew.
void Framer::next_whole_lines(Buffer& in, std::size_t most, std::vector<std::string_view>& packets) {
    const auto bytes = in.bytes();
    const auto max_packet = max_packet_;
    const char* line = bytes.data();
    const char* const end = line + bytes.size();
    const char* from = line + searched_;
    for (auto left = most - packets.size(); left > 0 && from < end; --left) {
        const auto* const found =
            static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end - from)));
        if (found == nullptr || static_cast<std::size_t>(found - line) > max_packet) break;
        packets.emplace_back(line, found + 1);
        line = from = found + 1;
    }
    if (line == bytes.data()) return;
    searched_ = 0;
    in.consume(static_cast<std::size_t>(line - bytes.data()));
}

result<std::string_view> Framer::next_line(Buffer& in, bool ended) {
    const auto bytes = in.bytes();
    const auto found = bytes.find('\n', std::exchange(searched_, 0));
    const bool is_whole = found != bytes.npos;
    std::size_t size = is_whole ? found : bytes.size();
    // At the end of what has arrived, a CR may be half of CR LF, which does not count.
    if (size > max_packet_ && bytes[size - 1] == '\r') --size;
    if (size > max_packet_) return Error::too_long;
    if (is_whole || (ended && !bytes.empty())) {
        const auto line = bytes.substr(0, is_whole ? found + 1 : bytes.size());
        in.consume(line.size());
        return line;
    }
    searched_ = bytes.size();
    return ended ? Error::closed : Error::incomplete;
}

result<std::string_view> Framer::next_frame(Buffer& in, bool ended) const {
    const auto bytes = in.bytes();
    if (bytes.size() >= header_) {
        std::size_t size = 0;
        for (const char byte : bytes.substr(0, header_)) size = size << 8 | static_cast<unsigned char>(byte);
        // Before waiting for it: a header that lies must not make us keep memory for what never comes.
        if (size > max_packet_) return Error::too_long;
        if (bytes.size() - header_ >= size) {
            in.consume(header_ + size);
            return bytes.substr(header_, size);
        }
    }
    if (!ended) return Error::incomplete;
    return bytes.empty() ? Error::closed : Error::cut_short;
}

char* Framer::write_header(std::size_t size, char* to) const {
    if (size >> (8 * header_) != 0) {
        throw std::length_error("a packet of " + std::to_string(size) + " bytes does not fit its header");
    }
    for (std::size_t i = header_; i-- > 0;) *to++ = static_cast<char>(size >> (8 * i) & 0xFF);
    return to;
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
