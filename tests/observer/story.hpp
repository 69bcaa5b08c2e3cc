#pragma once

#include "observer/model.hpp"

#include <gmock/gmock.h>
#include <boost/json.hpp>

#include <string>
#include <string_view>

namespace observed {

namespace json = boost::json;
using observer::second;
using observer::Time;

inline constexpr std::string_view noon = "2026-01-31T12:00:00.000000Z";

/// A server that tells its story to a model, a tenth of a second after each other; and what can be seen then.
class Story {
public:
    /// `fields` is what stands in the line after the event's name: `"peer":"127.0.0.1:5"`.
    void tell(std::string_view who, std::string_view event, std::string_view fields = {}) {
        now += second / 10;
        auto line = R"({"time":")" + observer::to_string(now) + R"(","who":")" + std::string(who) + R"(","event":")" +
                    std::string(event) + R"(")";
        if (who.starts_with("worker ")) line += R"(,"worker":)" + std::string(1, who[7]);
        if (!fields.empty()) line += "," + std::string(fields);
        take(line + "}");
    }
    void take(std::string_view line) {
        const auto told = observer::read(line);
        ASSERT_TRUE(told.has_value()) << line;
        model.take(*told);
    }
    void observe(std::string_view event, std::string_view fields) {
        now += second / 10;
        model.take(observer::tell(now, event, json::parse(fields).as_object()));
    }
    void wait(Time time) { now += time; }

    /// A place in the picture, as JSON: see("/clients/now").
    json::value see(std::string_view pointer) const {
        const json::value picture = model.picture(now);
        boost::system::error_code error;
        const auto* found = picture.find_pointer({pointer.data(), pointer.size()}, error);
        return found == nullptr ? json::value("there is no " + std::string(pointer)) : *found;
    }

    observer::Model model;
    Time now = observer::parse_time(noon);
};

}  // namespace observed
