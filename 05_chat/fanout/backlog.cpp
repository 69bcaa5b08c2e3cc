#include "05_chat/fanout/backlog.hpp"

#include <utility>

namespace chat {

Backlog::Part::Part(Backlog& backlog, std::function<void(std::string)> cut_off)
    : all_(backlog), cut_off_(std::move(cut_off)) {}

Backlog::Part::~Part() {
    count(0);
    is_no_longer_behind();
}

void Backlog::Part::count(std::size_t bytes) {
    all_.waiting_ -= bytes_;
    all_.waiting_ += bytes;
    bytes_ = bytes;
}

void Backlog::Part::is_behind() {
    behind_since_ = Clock::now();
    if (place_) {
        all_.behind_.splice(all_.behind_.end(), all_.behind_, *place_);
    } else {
        place_ = all_.behind_.insert(all_.behind_.end(), this);
    }
}

void Backlog::Part::is_no_longer_behind() {
    if (place_) all_.behind_.erase(*place_);
    place_.reset();
}

void Backlog::keep_bound() {
    while (waiting_ > max_waiting_ && !behind_.empty()) {
        Part& slowest = *behind_.front();
        slowest.is_no_longer_behind();
        slowest.cut_off_("too much waits for those who do not read");
    }
}

void Backlog::cut_off_since(Clock::time_point then) {
    while (!behind_.empty() && behind_.front()->behind_since_ <= then) {
        Part& slowest = *behind_.front();
        slowest.is_no_longer_behind();
        slowest.cut_off_("it reads nothing");
    }
}

}  // namespace chat
