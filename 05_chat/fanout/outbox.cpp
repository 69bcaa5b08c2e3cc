#include "05_chat/fanout/outbox.hpp"

#include <algorithm>
#include <utility>

namespace chat {

void Outbox::enter(SharedLog& log) {
    leave();
    reader_.emplace(log, owner_);
}

void Outbox::leave() {
    if (is_overrun()) return clear();
    copy_unsent();
    reader_.reset();
}

void Outbox::add(std::string_view own) {
    copy_unsent();
    own_ += own;
}

void Outbox::copy_unsent() {
    own_.erase(0, std::exchange(own_written_, 0));
    if (!reader_ || reader_->is_overrun()) return;
    reader_->log().copy(reader_->position(), reader_->log().end(), own_);
    reader_->advance(reader_->behind());
}

void Outbox::clear() {
    reader_.reset();
    own_ = {};
    own_written_ = 0;
}

std::size_t Outbox::gather(std::span<boost::asio::const_buffer> room) const {
    std::size_t pieces = 0;
    if (!own_.empty()) room[pieces++] = boost::asio::buffer(own_) + own_written_;
    if (reader_) pieces += reader_->log().gather(reader_->position(), reader_->log().end(), room.subspan(pieces));
    return pieces;
}

void Outbox::consume(std::size_t bytes) {
    const std::size_t own = std::min(bytes, own_.size() - own_written_);
    own_written_ += own;
    if (own_written_ == own_.size()) {
        own_ = {};
        own_written_ = 0;
    }
    if (reader_) reader_->advance(bytes - own);
}

}  // namespace chat
