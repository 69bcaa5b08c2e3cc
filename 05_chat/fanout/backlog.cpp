#include "05_chat/fanout/backlog.hpp"

#include "05_chat/fanout/writer.hpp"

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

void Backlog::is_behind(Writer& writer) {
    writer.behind_since_ = Clock::now();
    if (writer.place_) {
        behind_.splice(behind_.end(), behind_, *writer.place_);
    } else {
        writer.place_ = behind_.insert(behind_.end(), &writer);
    }
}

void Backlog::is_no_longer_behind(Writer& writer) {
    if (writer.place_) behind_.erase(*writer.place_);
    writer.place_.reset();
}

}  // namespace chat
