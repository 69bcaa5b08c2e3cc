#include "05_chat/erlang/dist/process_table.hpp"

namespace erlang {

Pid ProcessTable::spawn() {
    const std::uint64_t number = ++last_pid_;
    // Every node, also an old one, takes 15 bits of id and 13 of serial.
    Pid pid{identity_.name, static_cast<std::uint32_t>(number & 0x7FFF), static_cast<std::uint32_t>(number >> 15),
            identity_.creation};
    alive_.insert(pid);
    return pid;
}

void ProcessTable::exit(const Pid& pid) {
    alive_.erase(pid);
    std::erase_if(names_, [&](const auto& named) { return named.second == pid; });
}

std::optional<Pid> ProcessTable::whereis(std::string_view name) const {
    const auto found = names_.find(name);
    if (found == names_.end()) return std::nullopt;
    return found->second;
}

std::string ProcessTable::make_reference() {
    std::string reference;
    put_reference(reference, identity_.name, identity_.creation, ++last_reference_);
    return reference;
}

}  // namespace erlang
