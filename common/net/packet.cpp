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

result<std::string_view> Decoder::next_of_any_kind() {
    if (broken_) return broken_;
    if (mode_ == Packet::line) return next_line();
    if (mode_ != Packet::raw) return next_frame();
    if (begin_ < end_) return take(0, end_ - begin_);
    return ended_ ? Error::closed : Error::incomplete;
}

result<std::string_view> Decoder::next_line() {
    for (;;) {
        const std::string_view unsearched(bytes_ + searched_, clean_ - searched_);
        const auto found = unsearched.find('\n');
        const bool whole = found != unsearched.npos;
        const std::size_t line_end = whole ? searched_ + found : clean_;
        // A CR at the end may be half of CR LF, which does not count.
        const bool has_cr = line_end > begin_ && bytes_[line_end - 1] == '\r';
        if (line_end - begin_ - (has_cr ? 1 : 0) > max_packet_) {
            searched_ = clean_;  // nothing after it is found any more
            return broken_ = Error::too_long;
        }
        if (whole) return take(0, line_end + 1 - begin_);
        searched_ = clean_;
        if (raw_ == end_) break;
        // What filled() could not pass at once goes through the filter line by line, so that telnet's answers keep
        // their place among the replies.
        const auto progress = telnet_.run(bytes_ + raw_, end_ - raw_, bytes_ + clean_, answers_);
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

std::span<char> Decoder::space() {
    keep();
    const std::size_t coming = clean_ - begin_;
    make_room(coming);
    return after(coming);
}

std::span<char> Decoder::space_in(std::span<char> lent) {
    const std::size_t coming = clean_ - begin_;
    if (coming + read_size > lent.size()) return space();
    if (coming > 0) std::memmove(lent.data(), bytes_ + begin_, coming);
    bytes_ = lent.data();
    capacity_ = coming + read_size;
    return after(coming);
}

/// The packet that is coming is at the front now; the next bytes go after it.
std::span<char> Decoder::after(std::size_t coming) {
    begin_ = 0;
    clean_ = raw_ = end_ = coming;
    searched_ = mode_ == Packet::line ? coming : 0;
    return {bytes_ + end_, capacity_ - end_};
}

void Decoder::keep() {
    if (bytes_ == own_.get()) return;
    const std::size_t left = end_ - begin_;
    own_.reset();
    if (left > 0) {
        own_ = std::make_unique_for_overwrite<char[]>(left);
        std::memcpy(own_.get(), bytes_ + begin_, left);
    }
    searched_ -= begin_, clean_ -= begin_, raw_ -= begin_, end_ -= begin_, begin_ = 0;
    bytes_ = own_.get();
    capacity_ = left;
}

/// Moves the packet that is coming to the front of a buffer with room for the next read.
void Decoder::make_room(std::size_t coming) {
    const std::size_t wanted = coming + reading_;
    const bool too_small = capacity_ < coming + reading_ / 2;
    const bool too_large = capacity_ > 2 * wanted;
    if (!too_small && !too_large) {
        if (begin_ > 0 && coming > 0) std::memmove(bytes_, bytes_ + begin_, coming);
        return;
    }
    // Twice as much each time, so that a long packet is not moved again with every read; but never more than the
    // longest packet, with its header or half a line ending, and one read after it.
    const std::size_t longest = max_packet_ + sizeof(std::uint32_t) + read_size;
    capacity_ = too_large ? wanted : std::min(std::max(wanted, 2 * capacity_), longest);
    auto other = std::make_unique_for_overwrite<char[]>(capacity_);
    if (coming > 0) std::memcpy(other.get(), bytes_ + begin_, coming);
    own_ = std::move(other);
    bytes_ = own_.get();
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
    const std::string_view arrived(bytes_ + end_, size);
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

/// Goes from one outbox of a thread to the next: at any moment few have something to write, and what was written to a
/// moment ago is still in the processor's cache.
thread_local Memory spare;

}  // namespace

void Outbox::borrow() {
    std::swap(memory_, spare);
}

void Outbox::put_any(std::initializer_list<std::string_view> pieces, std::size_t size) {
    if (header_ > 0 && size >> (8 * header_) != 0) {
        throw std::length_error("a packet of " + std::to_string(size) + " bytes does not fit its header");
    }
    make_room(header_);
    for (std::size_t i = header_; i-- > 0;) memory_.bytes[copied_++] = static_cast<char>(size >> (8 * i) & 0xFF);
    for (const auto piece : pieces) {
        const auto needs_escape = [&] { return mode_ == Packet::line && piece.find(telnet::iac) != piece.npos; };
        if (piece.size() < reference_from || needs_escape()) {
            make_room(piece.size());
            copy(piece);
        } else {
            escape();  // what is before it must not move any more
            references_.push_back({copied_, piece});
        }
    }
}

void Outbox::put_escaped(std::string_view bytes) {
    if (memory_.size == 0) borrow();
    escape();
    make_room(bytes.size());
    copy(bytes);
    escaped_ = copied_;
}

void Outbox::make_room(std::size_t coming) {
    if (memory_.size - copied_ >= coming) return;
    const std::size_t size = std::max(copied_ + coming, 2 * memory_.size);
    Memory larger{std::make_unique_for_overwrite<char[]>(size), size};
    if (copied_ > 0) std::memcpy(larger.bytes.get(), memory_.bytes.get(), copied_);
    memory_ = std::move(larger);
}

/// Doubles the bytes 255 among those that were copied since the last time: all at once, because there are hardly ever
/// any.
void Outbox::escape_fresh() {
    const std::string_view fresh(memory_.bytes.get() + escaped_, copied_ - escaped_);
    if (mode_ == Packet::line && fresh.find(telnet::iac) != fresh.npos) {
        std::string escaped;
        telnet::append_escaped(fresh, escaped);
        copied_ = escaped_;
        make_room(escaped.size());
        copy(escaped);
    }
    escaped_ = copied_;
}

std::string_view Outbox::in_one_piece() {
    escape();
    if (references_.empty()) return std::string_view(memory_.bytes.get(), copied_).substr(written_);
    if (copied_ == 0 && references_.size() == 1) return references_.front().bytes.substr(written_);
    return {};
}

std::size_t Outbox::gather(Buffers& buffers) {
    escape();
    std::size_t used = 0;
    std::size_t skip = written_;
    const auto add = [&](std::string_view bytes) {
        const std::size_t skipped = std::min(skip, bytes.size());
        skip -= skipped;
        bytes.remove_prefix(skipped);
        if (!bytes.empty() && used < max_buffers) buffers[used++] = boost::asio::buffer(bytes);
    };
    const std::string_view copied(memory_.bytes.get(), copied_);
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

void Outbox::keep() {
    if (references_.empty()) return;
    Buffers buffers;
    std::string rest;
    while (!empty()) {
        std::size_t size = 0;
        for (const auto& buffer : std::span(buffers).first(gather(buffers))) {
            rest.append(static_cast<const char*>(buffer.data()), buffer.size());
            size += buffer.size();
        }
        written(size);
    }
    put_escaped(rest);
}

void Outbox::written(std::size_t size) {
    escape();
    written_ += size;
    std::size_t all = copied_;
    for (const auto& reference : references_) all += reference.bytes.size();
    if (written_ < all) return;
    written_ = copied_ = escaped_ = 0;
    references_.clear();
    if (memory_.size > spare.size && memory_.size <= kept_capacity) std::swap(memory_, spare);
    memory_ = {};
}

}  // namespace net
