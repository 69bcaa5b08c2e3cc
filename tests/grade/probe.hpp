#pragma once

#include "grade/client.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

/// What several steps do in the same way. One thread.
namespace grade {

/// What a line server answers: "ECHO " before each line. An empty text is no line.
std::string echo(std::string_view lines);

/// `size` letters.
std::string word(std::mt19937_64& random, std::size_t size);

/// `number` lines of up to `max` letters, each ended by a line feed; some are empty.
std::string lines(std::mt19937_64& random, std::size_t number, std::size_t max);

/// The same, and each line begins with its number: which one is missing, or comes too early, can be seen.
std::string numbered_lines(std::mt19937_64& random, std::size_t number, std::size_t max);

/// Sizes from 1 to `max`, small ones as often as large ones. Refers to `random`.
std::function<std::size_t()> sizes(std::mt19937_64& random, std::size_t max);

/// One more client is answered. Wrong where not; `after` says what it comes after, as a subject.
void expect_served(Server& server, const std::string& after);

/// Sends `lines` again and again and reads nothing, until the server takes no more or `limit` bytes are sent.
/// Returns what was sent.
std::string send_until_stuck(Server& server, Client& client, const std::string& lines, std::size_t limit);

/// NotPossible where this system does not let us have so many clients.
void expect_open_files(std::size_t number);

/// So many clients, connected one after the other.
std::vector<std::unique_ptr<Client>> connect(Server& server, std::size_t number);

}  // namespace grade
