#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What watches a server from outside: it reads the server's story, and shows it as a page.
namespace observer {

/// Microseconds since 1970, UTC, as the story's own clock has them.
using Time = std::int64_t;
inline constexpr Time second = 1'000'000;

/// One line of a server's story, read. Plain values.
struct Told {
    Time time = 0;           ///< 0 where the line has none
    std::string who{};       ///< `worker 2 handler 7`
    std::uint64_t worker{};  ///< 2: the process that told it, where there are several; else 0
    std::string role{};      ///< `handler`
    std::uint64_t number{};  ///< 7; 0 where there is only one of this role
    std::string event{};     ///< `got_data_from_client`
    boost::json::object fields{};
    std::string text{};  ///< the line, or lines, as `--log text` would have it; empty where JSON alone tells it

    /// The field as text, a number in digits; empty where there is none.
    std::string field(std::string_view name) const;
    /// The field as a number; 0 where there is none.
    std::int64_t number_of(std::string_view name) const;
    /// Whether it tells of something that went wrong.
    bool is_failure() const;
};

/// Reads a line of `--log json`, or the plain first line, `Listening on …`, which becomes the event `listening`.
/// Nothing where it is neither: then nobody can say what it means. The sentences are those of app::events; an event
/// that is not listed there, as other servers may have, is told by its name and its fields.
std::optional<Told> read(std::string_view line);

/// What the observer itself adds to the story: `fields`, told by `observer` at that time.
Told tell(Time time, std::string_view event, boost::json::object fields);

/// `2026-01-31T12:00:00.000000Z`; 0 where it is not.
Time parse_time(std::string_view text);
std::string to_string(Time time);

}  // namespace observer
