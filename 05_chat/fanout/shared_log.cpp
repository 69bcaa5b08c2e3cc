#include "05_chat/fanout/shared_log.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace chat {

SharedLog::Reader::Reader(SharedLog& log, std::uint64_t owner)
    : log_(log), owner_(owner), slot_(log.readers_.size()), position_(log.end_) {
    log.readers_.push_back(this);
}

SharedLog::Reader::~Reader() {
    Reader* const last = log_.readers_.back();
    log_.readers_[slot_] = last;
    last->slot_ = slot_;
    log_.readers_.pop_back();
}

void SharedLog::append(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t offset = end_ % chunk_size;
        if (offset == 0) {
            forget();
            chunks_.push_back(std::make_unique<Chunk>());
        }
        const std::size_t taken = std::min(bytes.size(), chunk_size - offset);
        std::memcpy(chunks_.back()->data() + offset, bytes.data(), taken);
        bytes.remove_prefix(taken);
        end_ += taken;
    }
}

void SharedLog::forget() {
    const Position oldest_allowed = end_ > max_backlog_ ? end_ - max_backlog_ : 0;
    Position slowest = end_;
    for (const Reader* reader : readers_) slowest = std::min(slowest, std::max(reader->position_, oldest_allowed));
    const Position before = begin_;
    while (!chunks_.empty() && begin_ + chunk_size <= slowest) {
        chunks_.pop_front();
        begin_ += chunk_size;
    }
    for (const Reader* reader : readers_) {
        if (reader->position_ >= before && reader->position_ < begin_) overrun_.push_back(reader->owner_);
    }
}

std::size_t SharedLog::gather(Position from, Position to, std::span<boost::asio::const_buffer> room) const {
    std::size_t pieces = 0;
    for (; from < to && pieces < room.size(); ++pieces) {
        const std::string_view next = piece(from, to);
        room[pieces] = boost::asio::buffer(next);
        from += next.size();
    }
    return pieces;
}

void SharedLog::copy(Position from, Position to, std::string& out) const {
    while (from < to) {
        const std::string_view next = piece(from, to);
        out += next;
        from += next.size();
    }
}

}  // namespace chat
