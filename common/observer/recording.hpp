#pragma once

#include "observer/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace observer {

/// A story that was kept, and how all stood at any moment of it. One thread.
class Recording {
public:
    /// Its lines; those that are none of a story are counted.
    explicit Recording(std::string text);

    /// From its first line to its last, in microseconds.
    Time length() const { return moments_.empty() ? 0 : moments_.back().time - moments_.front().time; }
    std::size_t lines() const { return moments_.size(); }

    /// The picture so long after its beginning; after its end, the last one.
    boost::json::object picture(Time after);

    /// The largest that is read, in bytes.
    static constexpr std::size_t max_size = 256 << 20;

private:
    struct Moment {
        Time time;
        std::size_t begin, size;  // of the line
    };
    /// The model before the line `next`.
    struct State {
        std::size_t next = 0;
        Model model;
    };
    void take_next(State& state) const;

    std::string text_;
    std::vector<Moment> moments_;
    std::vector<State> kept_;  // so that no moment is far from one of them
    State state_;              // where the last picture was
};

}  // namespace observer
