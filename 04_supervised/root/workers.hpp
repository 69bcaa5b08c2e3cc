#pragma once

#include "04_supervised/process/process_child.hpp"

#include <map>
#include <memory>

/// The workers' processes by their ids: whom to talk to. The supervisor decides who lives; this only knows them.
class Workers {
public:
    void add(const supervision::ChildId& id, const std::shared_ptr<supervision::Process>& process) {
        processes_[id] = process;
    }

    /// The process that runs under this id; none where it has ended, or is not ready yet.
    std::shared_ptr<supervision::Process> find(const supervision::ChildId& id) const {
        const auto found = processes_.find(id);
        const auto process = found == processes_.end() ? nullptr : found->second.lock();
        return process && process->is_ready() ? process : nullptr;
    }

    void remove(const supervision::ChildId& id) { processes_.erase(id); }

    /// Says the same to everybody who lives, ready or not.
    void tell_all(control::Message::Kind kind) const {
        for (const auto& [id, weak] : processes_) {
            if (const auto process = weak.lock()) process->send(kind);
        }
    }

private:
    std::map<supervision::ChildId, std::weak_ptr<supervision::Process>> processes_;
};
