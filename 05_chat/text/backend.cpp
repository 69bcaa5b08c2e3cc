#include "05_chat/text/backend.hpp"

namespace chat {

void SubscribersByRoom::enter(Writer& writer, std::string_view room) {
    subscribers_.try_emplace(folded(room), executor_, backlog_).first->second.enter(writer);
    // The one they were in before may be empty now.
    std::erase_if(subscribers_, [](const auto& entry) { return entry.second.empty(); });
}

void SubscribersByRoom::leave(Writer& writer, std::string_view room) {
    const auto found = subscribers_.find(folded(room));
    if (found == subscribers_.end()) return;
    if (found->second.has(writer)) found->second.leave(writer);
    // Also where the writer was cut off, and has left by itself.
    if (found->second.empty()) subscribers_.erase(found);
}

void SubscribersByRoom::append(std::string_view room, const Line& line) {
    const auto found = subscribers_.find(folded(room));
    if (found == subscribers_.end()) return;
    text_.clear();
    encode_text(line, text_);
    found->second.append(text_);
}

}  // namespace chat
