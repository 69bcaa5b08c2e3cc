#include "net/packet.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>

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

// ---- Decoder --------------------------------------------------------------------------------------------------------

Decoder::Decoder(Packet mode, std::size_t max_packet) : mode_(mode), max_packet_(max_packet) {}

result<std::string_view> Decoder::next() {
    if (broken_) return broken_;
    if (mode_ == Packet::line) return next_line();
    if (mode_ != Packet::raw) return next_frame();
    if (begin_ < end_) return take(0, end_ - begin_);
    return ended_ ? Error::closed : Error::incomplete;
}

result<std::string_view> Decoder::next_line() {
    for (;;) {
        const std::string_view unsearched(bytes_.get() + searched_, clean_ - searched_);
        const auto found = unsearched.find('\n');
        const bool whole = found != unsearched.npos;
        const std::size_t line_end = whole ? searched_ + found : clean_;
        // A CR at the end may be half of CR LF, which does not count.
        const bool has_cr = line_end > begin_ && bytes_[line_end - 1] == '\r';
        if (line_end - begin_ - (has_cr ? 1 : 0) > max_packet_) return broken_ = Error::too_long;
        if (whole) return take(0, line_end + 1 - begin_);
        searched_ = clean_;
        if (raw_ == end_) break;
        // What filled() could not pass at once goes through the filter line by line, so that telnet's answers keep
        // their place among the replies.
        const auto progress = telnet_.run(bytes_.get() + raw_, end_ - raw_, bytes_.get() + clean_, answers_);
        raw_ += progress.taken;
        clean_ += progress.kept;
    }
    if (!ended_) return Error::incomplete;
    if (begin_ < clean_) return take(0, clean_ - begin_);
    return Error::closed;
}

result<std::string_view> Decoder::next_frame() {
    const std::size_t header = header_size(mode_);
    const std::size_t arrived = end_ - begin_;
    if (arrived >= header) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < header; ++i) size = size << 8 | static_cast<unsigned char>(bytes_[begin_ + i]);
        // Before waiting for it: a header that lies must not make us keep memory for what never comes.
        if (size > max_packet_) return broken_ = Error::too_long;
        if (arrived - header >= size) return take(header, size);
    }
    if (!ended_) return Error::incomplete;
    return arrived == 0 ? Error::closed : Error::cut_short;
}

result<std::string_view> Decoder::take(std::size_t header, std::size_t size) {
    const std::string_view packet(bytes_.get() + begin_ + header, size);
    begin_ += header + size;
    searched_ = begin_;
    if (mode_ != Packet::line) clean_ = raw_ = end_;
    if (clean_ == begin_ && raw_ == end_) begin_ = searched_ = clean_ = raw_ = end_ = 0;
    return packet;
}

std::span<char> Decoder::space() {
    const std::size_t coming = clean_ - begin_;
    make_room(coming);
    begin_ = 0;
    clean_ = raw_ = end_ = coming;
    searched_ = mode_ == Packet::line ? coming : 0;
    return {bytes_.get() + end_, capacity_ - end_};
}

/// Moves the packet that is coming to the front of a buffer with room for the next read.
void Decoder::make_room(std::size_t coming) {
    const std::size_t wanted = coming + reading_;
    const bool too_small = capacity_ < coming + reading_ / 2;
    const bool too_large = capacity_ > 2 * wanted;
    if (!too_small && !too_large) {
        if (begin_ > 0 && coming > 0) std::memmove(bytes_.get(), bytes_.get() + begin_, coming);
        return;
    }
    // Twice as much each time, so that a long packet is not moved again with every read; but never more than the
    // longest packet, with its header or half a line ending, and one read after it.
    const std::size_t longest = max_packet_ + sizeof(std::uint32_t) + read_size;
    capacity_ = too_large ? wanted : std::min(std::max(wanted, 2 * capacity_), longest);
    auto other = std::make_unique_for_overwrite<char[]>(capacity_);
    if (coming > 0) std::memcpy(other.get(), bytes_.get() + begin_, coming);
    bytes_ = std::move(other);
}

void Decoder::filled(std::size_t size) {
    constexpr unsigned series = 64;
    if (size == capacity_ - end_) {
        reading_ = read_size;
        small_reads_ = 0;
    } else if (size > small_read_size) {
        small_reads_ = 0;
    } else if (++small_reads_ == series) {
        reading_ = small_read_size;
    }
    const std::string_view arrived(bytes_.get() + end_, size);
    end_ += size;
    if (mode_ != Packet::line) {
        clean_ = raw_ = end_;
    } else if (telnet_.is_plain(arrived)) {
        telnet_.pass(arrived);
        clean_ = raw_ = end_;
    }
}

void Decoder::end() {
    ended_ = true;
}

// ---- Outbox ---------------------------------------------------------------------------------------------------------

namespace {

/// What an empty outbox may keep, so that small replies need no allocation.
constexpr std::size_t kept_capacity = 512;

/// Larger memory goes from one outbox of a thread to the next that needs it: at any moment few have something to write.
thread_local std::string spare;

/// Out of line on purpose: where the compiler sees that a piece is short, it copies it with an instruction (`rep movs`)
/// that takes longer to start than the copying does.
[[gnu::noinline]] void append(std::string& to, std::string_view piece) {
    to.append(piece);
}

/// Doubles the bytes 255 that have been appended since `to` had `start` bytes.
void escape_from(std::string& to, std::size_t start) {
    if (to.find(telnet::iac, start) == to.npos) return;
    const std::string plain = to.substr(start);
    to.resize(start);
    telnet::append_escaped(plain, to);
}

}  // namespace

void Outbox::put(std::initializer_list<std::string_view> pieces) {
    std::size_t size = 0;
    for (const auto piece : pieces) size += piece.size();
    const std::size_t header = header_size(mode_);
    if (header > 0 && size >> (8 * header) != 0) {
        throw std::length_error("a packet of " + std::to_string(size) + " bytes does not fit its header");
    }
    if (copied_.empty() && size > copied_.capacity() && spare.capacity() > copied_.capacity()) copied_.swap(spare);
    for (std::size_t i = header; i-- > 0;) copied_ += static_cast<char>(size >> (8 * i) & 0xFF);
    if (size < reference_from) {
        const std::size_t start = copied_.size();
        for (const auto piece : pieces) append(copied_, piece);
        if (mode_ == Packet::line) escape_from(copied_, start);
        return;
    }
    for (const auto piece : pieces) {
        const bool needs_escape = mode_ == Packet::line && piece.find(telnet::iac) != piece.npos;
        if (needs_escape) {
            telnet::append_escaped(piece, copied_);
        } else if (piece.size() >= reference_from) {
            references_.push_back({copied_.size(), piece});
        } else {
            append(copied_, piece);
        }
    }
}

std::size_t Outbox::gather(Buffers& buffers) const {
    std::size_t used = 0;
    std::size_t skip = written_;
    const auto add = [&](std::string_view bytes) {
        const std::size_t skipped = std::min(skip, bytes.size());
        skip -= skipped;
        bytes.remove_prefix(skipped);
        if (!bytes.empty() && used < max_buffers) buffers[used++] = boost::asio::buffer(bytes);
    };
    const std::string_view copied = copied_;
    std::size_t done = 0;
    for (const auto& reference : references_) {
        add(copied.substr(done, reference.at - done));
        add(reference.bytes);
        done = reference.at;
        if (used == max_buffers) return used;
    }
    add(copied.substr(done));
    return used;
}

void Outbox::written(std::size_t size) {
    written_ += size;
    std::size_t all = copied_.size();
    for (const auto& reference : references_) all += reference.bytes.size();
    if (written_ < all) return;
    written_ = 0;
    copied_.clear();
    references_.clear();
    if (copied_.capacity() > kept_capacity) {
        if (copied_.capacity() > spare.capacity()) copied_.swap(spare);
        if (copied_.capacity() > kept_capacity) std::string().swap(copied_);
    }
}

}  // namespace net
