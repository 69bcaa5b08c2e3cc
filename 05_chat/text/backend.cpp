#include "05_chat/text/backend.hpp"

namespace chat {

void Audiences::enter(Wire& wire, std::string_view room) {
    audiences_.try_emplace(folded(room), executor_, max_backlog_, all_).first->second.enter(wire);
    // The one they were in before may be empty now.
    std::erase_if(audiences_, [](const auto& audience) { return audience.second.empty(); });
}

void Audiences::leave(Wire& wire, std::string_view room) {
    const auto found = audiences_.find(folded(room));
    if (found == audiences_.end()) return;
    if (found->second.has(wire)) found->second.leave(wire);
    // Also where the wire was cut off, and has left by itself.
    if (found->second.empty()) audiences_.erase(found);
}

void Audiences::append(std::string_view room, const Line& line) {
    const auto found = audiences_.find(folded(room));
    if (found == audiences_.end()) return;
    text_.clear();
    encode_text(line, text_);
    found->second.append(text_);
}

}  // namespace chat
