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
    while (from < to && pieces < room.size()) {
        const std::size_t offset = from % chunk_size;
        const std::size_t length = std::min<Position>(to - from, chunk_size - offset);
        room[pieces++] = boost::asio::buffer(chunks_[(from - begin_) / chunk_size]->data() + offset, length);
        from += length;
    }
    return pieces;
}

void Outbox::enter(SharedLog& log) {
    leave();
    reader_.emplace(log, owner_);
    for (Patch& patch : patches_) patch.at = log.end();
}

void Outbox::leave() {
    if (!reader_) return;
    std::string rest;
    if (!is_overrun()) {
        std::vector<boost::asio::const_buffer> pieces(2 * patches_.size() + log_bytes() / SharedLog::chunk_size + 2);
        pieces.resize(gather(pieces));
        rest.reserve(size());
        for (const auto& piece : pieces) rest.append(static_cast<const char*>(piece.data()), piece.size());
    }
    clear();
    add(rest);
}

void Outbox::add(std::string_view own) {
    if (own.empty()) return;
    const SharedLog::Position end = reader_ ? reader_->log().end() : 0;
    if (patches_.empty() || patches_.back().at != end) patches_.push_back({end, {}});
    patches_.back().own += own;
}

void Outbox::clear() {
    reader_.reset();
    patches_.clear();
    written_ = 0;
}

std::size_t Outbox::own_size() const {
    std::size_t bytes = 0;
    for (const Patch& patch : patches_) bytes += patch.own.size();
    return bytes;
}

std::size_t Outbox::size() const {
    return log_bytes() - written_ + own_size();
}

std::size_t Outbox::gather(std::span<boost::asio::const_buffer> room) const {
    std::size_t pieces = 0;
    SharedLog::Position from = position();
    std::size_t written = written_;
    for (const Patch& patch : patches_) {
        if (reader_) pieces += reader_->log().gather(from, patch.at, room.subspan(pieces));
        if (pieces == room.size()) return pieces;
        if (patch.own.size() > written) room[pieces++] = boost::asio::buffer(patch.own) + written;
        written = 0;
        from = patch.at;
    }
    if (reader_) pieces += reader_->log().gather(from, reader_->log().end(), room.subspan(pieces));
    return pieces;
}

void Outbox::consume(std::size_t bytes) {
    while (!patches_.empty()) {
        Patch& next = patches_.front();
        if (const auto before = static_cast<std::size_t>(next.at - position()); bytes < before)
            break;
        else if (reader_)
            reader_->advance(before), bytes -= before;
        const std::size_t own = next.own.size() - written_;
        if (bytes < own) {
            written_ += bytes;
            return;
        }
        bytes -= own;
        written_ = 0;
        patches_.erase(patches_.begin());
    }
    if (reader_) reader_->advance(bytes);
}

}  // namespace chat
