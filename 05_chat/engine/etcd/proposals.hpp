#pragma once

#include "05_chat/room/room.hpp"

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace chat::etcd {

/// What this node has submitted and not had back, in its order. The first few are on their way to the log together, as
/// one batch; there is never a second batch on its way, so nothing can overtake. Pure; one thread at a time.
class Proposals {
public:
    /// What came of it, or what was thrown. Called once, at once.
    using Answer = std::function<void(std::exception_ptr, Outcome)>;

    /// What one batch holds at the most: requests, and bytes of JSON. One request always fits.
    static constexpr std::size_t max_requests = 500;
    static constexpr std::size_t max_bytes = 256 * 1024;

    void add(Submission submission, Answer answer) { waiting_.push_back({std::move(submission), std::move(answer)}); }
    /// People who come back, before all that waits. Nothing is on its way.
    void add_first(std::vector<Submission> joins,
                   const std::function<void(const Submission&, const Outcome&)>& is_back);

    bool is_empty() const { return waiting_.empty(); }
    std::size_t size() const { return waiting_.size(); }
    bool is_flying() const { return flying_ > 0; }
    bool has_come_back() const { return come_backs_ == 0; }

    /// Sends off as many as fit into one batch, which `begun` has begun. Nothing is on its way, something waits.
    /// The batch is kept, to be sent again.
    const std::string& fly(std::string begun);
    const std::string& batch() const { return batch_; }

    /// The batch has come back: takes the first of it out, whose turn it is to be applied.
    Answer land();
    /// The batch will never come back: it waits again, before all others. Who was to come back is forgotten: they are
    /// asked for anew.
    void ground();
    /// Nobody knows whether the batch will come back, or has: its requests are refused.
    void lose(Refusal refusal);
    /// Everything is refused.
    void refuse_all(Refusal refusal);

private:
    struct Proposal {
        Submission submission;
        Answer answer;
    };
    Proposal take();

    std::deque<Proposal> waiting_;
    std::size_t flying_ = 0;      // so many of the first are on their way
    std::size_t come_backs_ = 0;  // so many of the first are Joins of people who come back
    std::string batch_;           // what is on its way, as it is written into the log
};

}  // namespace chat::etcd
