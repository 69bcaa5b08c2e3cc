#include "05_chat/engine/etcd/proposals.hpp"

#include "05_chat/engine/etcd/codec.hpp"

#include <algorithm>
#include <utility>

namespace chat::etcd {

void Proposals::add_first(std::vector<Submission> joins,
                          const std::function<void(const Submission&, const Outcome&)>& is_back) {
    come_backs_ = joins.size();
    std::deque<Proposal> first;
    for (Submission& join : joins) {
        first.push_back({join, [join, is_back](const std::exception_ptr& thrown, const Outcome& outcome) {
                             if (!thrown) is_back(join, outcome);
                         }});
    }
    std::ranges::move(waiting_, std::back_inserter(first));
    waiting_ = std::move(first);
}

const std::string& Proposals::fly(std::string begun) {
    batch_ = std::move(begun);
    while (flying_ < waiting_.size() && flying_ < max_requests && (flying_ == 0 || batch_.size() < max_bytes)) {
        append_request(waiting_[flying_++].submission, batch_);
    }
    end_batch(batch_);
    return batch_;
}

Proposals::Proposal Proposals::take() {
    Proposal first = std::move(waiting_.front());
    waiting_.pop_front();
    if (flying_ > 0) --flying_;
    if (come_backs_ > 0) --come_backs_;
    return first;
}

Proposals::Answer Proposals::land() {
    return take().answer;
}

void Proposals::ground() {
    flying_ = 0;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(come_backs_));
    come_backs_ = 0;
}

void Proposals::lose(Refusal refusal) {
    std::vector<Answer> lost;
    while (flying_ > 0) {
        const bool comes_back = come_backs_ > 0;
        Proposal first = take();
        if (!comes_back) lost.push_back(std::move(first.answer));
    }
    ground();
    for (const Answer& answer : lost) answer(nullptr, refusal);
}

void Proposals::refuse_all(Refusal refusal) {
    flying_ = waiting_.size();
    lose(refusal);
}

}  // namespace chat::etcd
