#include "05_chat/client/keyboard.hpp"

#include <boost/asio.hpp>

#include <unistd.h>

namespace chat {

using Descriptor = boost::asio::posix::descriptor_base;

Keyboard::Keyboard(boost::asio::io_context& loop) : stdin_(loop) {
    boost::system::error_code is_a_file;  // a file cannot be waited for, and need not be
    stdin_.assign(::dup(STDIN_FILENO), is_a_file);
}

net::awaitable<std::optional<std::string>> Keyboard::line() {
    for (;;) {
        if (const auto end = typed_.find('\n'); end != typed_.npos) {
            std::string line = typed_.substr(0, end);
            typed_.erase(0, end + 1);
            co_return line;
        }
        if (has_ended_) {
            std::optional<std::string> last;  // a last line may have no end
            if (!typed_.empty()) last = std::exchange(typed_, {});
            co_return last;
        }
        // Only waits: reading through Asio would make the terminal non-blocking for everybody who shares it.
        if (stdin_.is_open()) {
            const auto [closed] = co_await stdin_.async_wait(Descriptor::wait_read, net::outcome);
            if (closed == boost::asio::error::operation_aborted) has_ended_ = true;
        }
        if (has_ended_) continue;
        char some[4096];
        const auto size = ::read(STDIN_FILENO, some, sizeof some);
        if (size <= 0) has_ended_ = true;
        typed_.append(some, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    }
}

void Keyboard::close() {
    has_ended_ = true;
    boost::system::error_code ignored;
    stdin_.close(ignored);
}

}  // namespace chat
