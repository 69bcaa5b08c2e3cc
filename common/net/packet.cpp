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

result<std::string_view> Framer::next(Buffer& in, bool ended) {
    const auto found = cut(in.bytes(), ended);
    if (!found) return found.error();
    in.consume(found->size);
    return found->packet;
}

boost::system::error_code Framer::next(Buffer& in, bool ended, std::size_t most,
                                       std::vector<std::string_view>& packets) {
    auto bytes = in.bytes();
    boost::system::error_code why;
    std::size_t count = 0;
    // Whole lines are what comes a million times a second.
    for (; mode_ == Packet::line && count < most; ++count) {
        const auto found = bytes.find('\n', searched_);
        if (found > max_packet_) break;
        packets.emplace_back(bytes.data(), found + 1);
        bytes.remove_prefix(found + 1);
        searched_ = 0;
    }
    for (; count < most; ++count) {
        const auto found = cut(bytes, ended);
        if (!found) {
            why = found.error();
            break;
        }
        packets.push_back(found->packet);
        bytes.remove_prefix(found->size);
    }
    in.consume(in.bytes().size() - bytes.size());
    return why;
}

result<Framer::Cut> Framer::cut(std::string_view bytes, bool ended) {
    if (mode_ == Packet::line) return cut_line(bytes, ended);
    if (mode_ != Packet::raw) return cut_frame(bytes, ended);
    if (!bytes.empty()) return Cut{bytes, bytes.size()};
    return ended ? Error::closed : Error::incomplete;
}

result<Framer::Cut> Framer::cut_line(std::string_view bytes, bool ended) {
    const auto found = bytes.find('\n', std::exchange(searched_, 0));
    const bool is_whole = found != bytes.npos;
    std::size_t size = is_whole ? found : bytes.size();
    // At the end of what has arrived, a CR may be half of CR LF, which does not count.
    if (size > max_packet_ && bytes[size - 1] == '\r') --size;
    if (size > max_packet_) return Error::too_long;
    if (is_whole) return Cut{bytes.substr(0, found + 1), found + 1};
    if (ended && !bytes.empty()) return Cut{bytes, bytes.size()};
    searched_ = bytes.size();
    return ended ? Error::closed : Error::incomplete;
}

result<Framer::Cut> Framer::cut_frame(std::string_view bytes, bool ended) const {
    if (bytes.size() >= header_) {
        std::size_t size = 0;
        for (const char byte : bytes.substr(0, header_)) size = size << 8 | static_cast<unsigned char>(byte);
        // Before waiting for it: a header that lies must not make us keep memory for what never comes.
        if (size > max_packet_) return Error::too_long;
        if (bytes.size() - header_ >= size) return Cut{bytes.substr(header_, size), header_ + size};
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
