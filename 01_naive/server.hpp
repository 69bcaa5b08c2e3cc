#pragma once

#include "app/client.hpp"
#include "app/door.hpp"

/// Who acts here, in the story: one thread does everything.
inline constexpr app::Who server{"server"};

/// What server.cpp shows.
void serve(app::Client& client, std::string_view prefix);
void session(app::Client& client, std::string_view prefix);
void accept_loop(net::Listener& listener, std::string_view prefix);
