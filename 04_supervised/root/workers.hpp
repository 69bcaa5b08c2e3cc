#pragma once

#include "04_supervised/process/process_child.hpp"

#include <map>
#include <memory>
#include <set>

namespace supervised {

/// The workers' processes by their ids, for talking to them. They belong to the supervisor, which starts and ends them.
class Workers {
public:
    void add(const otp::ChildId& id, const std::shared_ptr<process::ProcessChild>& process) {
        processes_[id] = process;
    }

    /// The process that runs under this id; none where it has ended, or is not ready yet.
    std::shared_ptr<process::ProcessChild> find(const otp::ChildId& id) const {
        const auto found = processes_.find(id);
        const auto process = found == processes_.end() ? nullptr : found->second.lock();
        return process && process->is_ready() ? process : nullptr;
    }

    /// Whether a process of this id was ready once, be it that it has ended.
    bool has_been_up(const otp::ChildId& id) const { return have_been_up_.contains(id); }
    void is_up(const otp::ChildId& id) { have_been_up_.insert(id); }

    void remove(const otp::ChildId& id) {
        processes_.erase(id);
        have_been_up_.erase(id);
    }

    /// Says this to every process that lives, ready or not.
    void tell_all(process::Message::Kind kind) const {
        for (const auto& [id, weak] : processes_) {
            if (const auto process = weak.lock()) process->send(kind);
        }
    }

private:
    std::map<otp::ChildId, std::weak_ptr<process::ProcessChild>> processes_;
    std::set<otp::ChildId> have_been_up_;
};

}  // namespace supervised
