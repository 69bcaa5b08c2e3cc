#include "05_chat/engine/local.hpp"

namespace chat {

net::awaitable<Outcome> LocalEngine::submit(const Submission& submission) {
    co_return replica_->apply(++last_, submission);
}

}  // namespace chat
