#include "05_chat/fanout/backlog.hpp"

#include "05_chat/fanout/wire.hpp"

namespace chat {

void Backlog::count(std::size_t& counted, std::size_t bytes) {
    bytes_ = bytes_ - counted + bytes;
    counted = bytes;
}

void Backlog::keep_bound() {
    while (bytes_ > max_ && !behind_.empty()) behind_.front()->cut_off("too much waits for those who do not read");
}

void Backlog::cut_off_since(Clock::time_point then) {
    while (!behind_.empty() && behind_.front()->behind_since_ <= then) behind_.front()->cut_off("it reads nothing");
}

void Backlog::is_behind(Wire& wire) {
    wire.behind_since_ = Clock::now();
    if (wire.place_) {
        behind_.splice(behind_.end(), behind_, *wire.place_);
    } else {
        wire.place_ = behind_.insert(behind_.end(), &wire);
    }
}

void Backlog::is_no_longer_behind(Wire& wire) {
    if (wire.place_) behind_.erase(*wire.place_);
    wire.place_.reset();
}

}  // namespace chat
