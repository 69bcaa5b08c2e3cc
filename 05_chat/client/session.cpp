#include "05_chat/client/session.hpp"

#include "05_chat/room/names.hpp"
#include "app/text.hpp"

#include <boost/asio.hpp>

#include <iostream>

namespace chat::client {

std::string harmless(std::string_view text) {
    constexpr std::size_t most = 1000;  // of what is no text
    return app::text::is_utf8(text) ? without_controls(text) : app::text::visible(text, most);
}

void print(const Options& options, std::string_view text) {
    std::cout << options.name << "'s client: " << harmless(text) << std::endl;
}

result<void, Why> outcome_of(boost::asio::io_context& loop, net::awaitable<result<void, Why>> session) {
    result<void, Why> outcome;
    boost::asio::co_spawn(loop, std::move(session), [&](const std::exception_ptr& crash, result<void, Why> ended) {
        if (crash) std::rethrow_exception(crash);
        outcome = std::move(ended);
    });
    loop.run();
    return outcome;
}

}  // namespace chat::client
