#pragma once

#include "app/events.hpp"

#include <cstddef>

namespace chat {

/// How far a peer is behind, as the story tells it: in JSON only, and only where it has changed since it was told last.
/// A door looks now and then; a line that is said costs nothing for it.
class Lag {
public:
    /// `bytes` wait for this peer, which does not read them; at more than `most` it is cut off.
    void tell(const app::Who& who, std::size_t bytes, std::size_t most) {
        if (bytes == told_) return;
        told_ = bytes;
        app::tell_detail(who, app::events::is_behind, bytes, most);
    }

private:
    std::size_t told_ = 0;
};

}  // namespace chat
