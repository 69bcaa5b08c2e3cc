#include "observer/told.hpp"

#include "app/events.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <set>

namespace observer {

namespace json = boost::json;

namespace {

/// What the observer tells.
constexpr std::array<app::Wording, 5> own{{{"observes", "", "{command}"},
                                           {"door", "", ""},
                                           {"processes", "", ""},
                                           {"ended", "sees the server end {how}", ""},
                                           {"ended_badly", "sees the server end {how}", ""}}};

/// Every event of app/events.hpp, which CMake has read for us, and our own.
const std::map<std::string_view, const app::Wording*>& wordings() {
    static const auto all = [] {
        std::map<std::string_view, const app::Wording*> found;
        const std::array<const app::Wording*, FIVE_EVENTS_COUNT> events{
#include "observer/events.inc"
        };
        for (const auto* event : events) found[event->name] = event;
        for (const auto& event : own) found[event.name] = &event;
        return found;
    }();
    return all;
}

const std::set<std::string_view> failures{
    "accepts_no_more",   "cannot_accept",     "cannot_start_thread", "connection_lost", "crashed",
    "cuts_off",          "cuts_off_client",   "does_not_answer",     "ended_badly",     "finds_removed",
    "gives_up",          "is_idle",           "is_unknown_to_epmd",  "keeps",           "left_out",
    "link_lost",         "link_refused",      "refuses_link",        "rejects_client",  "room_is_down",
    "starts_too_slowly", "supervisor_report", "was_refused",
};

std::string shown(const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

bool is_listed(std::string_view field) {
    return field == "time" || field == "who" || field == "event";
}

std::string in_own_words(const Told& told) {
    std::string words = told.event;
    std::ranges::replace(words, '_', ' ');
    for (const auto& [name, value] : told.fields) {
        const bool is_known = is_listed(name) || (told.worker > 0 && name == "worker");
        if (!is_known) words += ", " + std::string(name) + " " + shown(value);
    }
    return words;
}

std::string lines_of(const json::value& lines) {
    std::string all;
    if (!lines.is_array()) return all;
    for (const auto& line : lines.get_array()) (all += all.empty() ? "" : "\n") += shown(line);
    return all;
}

std::string text_of(const Told& told) {
    if (const auto* lines = told.fields.if_contains("lines")) return lines_of(*lines);
    const auto found = wordings().find(told.event);
    if (found == wordings().end()) return told.who + " " + in_own_words(told);
    std::string_view sentence = found->second->sentence;
    if (sentence.empty()) return {};
    std::string text = told.who + " ";
    for (auto open = sentence.find('{'); open != sentence.npos; open = sentence.find('{')) {
        const auto close = sentence.find('}', open);
        text += sentence.substr(0, open);
        text += told.field(sentence.substr(open + 1, close - open - 1));
        sentence.remove_prefix(close + 1);
    }
    return text.append(sentence);
}

/// Splits `worker 2 handler 7` into who they are.
void name(Told& told) {
    std::string_view rest = told.who;
    if (told.worker > 0) {
        const auto process = "worker " + std::to_string(told.worker);
        if (rest.starts_with(process)) rest.remove_prefix(process.size());
        if (rest.starts_with(' ')) rest.remove_prefix(1);
        if (rest.empty()) rest = "server";
    }
    const auto space = rest.rfind(' ');
    told.role = rest;
    if (space == rest.npos) return;
    const auto digits = rest.substr(space + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), told.number);
    if (error == std::errc() && end == digits.data() + digits.size()) told.role = rest.substr(0, space);
}

std::optional<Told> first_line(std::string_view line) {
    constexpr std::string_view beginning = "Listening on ";
    if (!line.starts_with(beginning)) return std::nullopt;
    Told told{.who = "server", .role = "server", .event = "listening", .text = std::string(line)};
    told.fields["sockname"] = line.substr(beginning.size());
    return told;
}

std::optional<Told> told_by(json::object fields) {
    Told told;
    told.fields = std::move(fields);
    told.event = told.field("event");
    told.who = told.field("who");
    if (told.event.empty() || told.who.empty()) return std::nullopt;
    told.time = parse_time(told.field("time"));
    told.worker = static_cast<std::uint64_t>(std::max<std::int64_t>(told.number_of("worker"), 0));
    name(told);
    told.text = text_of(told);
    return told;
}

}  // namespace

std::string Told::field(std::string_view name) const {
    const auto* value = fields.if_contains(name);
    return value == nullptr ? std::string() : shown(*value);
}

std::int64_t Told::number_of(std::string_view name) const {
    const auto* value = fields.if_contains(name);
    if (value == nullptr) return 0;
    if (value->is_int64()) return value->get_int64();
    return value->is_uint64() ? static_cast<std::int64_t>(value->get_uint64()) : 0;
}

bool Told::is_failure() const {
    return failures.contains(event);
}

Told tell(Time time, std::string_view event, json::object fields) {
    fields["time"] = to_string(time);
    fields["who"] = "observer";
    fields["event"] = event;
    return *told_by(std::move(fields));
}

std::optional<Told> read(std::string_view line) {
    if (!line.starts_with('{')) return first_line(line);
    boost::system::error_code error;
    auto value = json::parse(line, error);
    if (error || !value.is_object()) return std::nullopt;
    return told_by(std::move(value.get_object()));
}

Time parse_time(std::string_view text) {
    // The places of 2026-01-31T12:00:00.000000Z.
    constexpr std::size_t whole = 27;
    if (text.size() != whole || text[10] != 'T' || text.back() != 'Z') return 0;
    bool is_good = true;
    const auto number = [&](std::size_t at, std::size_t digits) {
        int value = 0;
        const auto* const begin = text.data() + at;
        const auto [end, error] = std::from_chars(begin, begin + digits, value);
        is_good = is_good && error == std::errc() && end == begin + digits && value >= 0;
        return value;
    };
    using namespace std::chrono;
    const auto day = year(number(0, 4)) / number(5, 2) / number(8, 2);
    const auto time = hours(number(11, 2)) + minutes(number(14, 2)) + seconds(number(17, 2));
    const auto all = sys_days(day) + time + microseconds(number(20, 6));
    return is_good && day.ok() ? microseconds(all.time_since_epoch()).count() : 0;
}

std::string to_string(Time time) {
    using namespace std::chrono;
    const sys_time<microseconds> all{microseconds(time)};
    const auto day = floor<days>(all);
    const year_month_day date(day);
    const hh_mm_ss clock(all - day);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return text;
}

}  // namespace observer
