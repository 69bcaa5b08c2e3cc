#include "observer/recording.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace observer {

namespace {

constexpr std::size_t most_kept = 32;
constexpr std::size_t fewest_lines_between = 1000;

}  // namespace

Recording::Recording(std::string text) : text_(std::move(text)) {
    std::string_view rest = text_;
    while (!rest.empty()) {
        const auto size = std::min(rest.find('\n'), rest.size());
        moments_.push_back({0, text_.size() - rest.size(), size});
        rest.remove_prefix(std::min(size + 1, rest.size()));
    }
    const auto between = std::max(moments_.size() / most_kept, fewest_lines_between);
    State state;
    for (auto& moment : moments_) {
        if (state.next % between == 0) kept_.push_back(state);
        take_next(state);
        moment.time = state.model.time();
    }
    // What comes before the first time, as the first line does, comes at that time.
    const auto first = std::ranges::find_if(moments_, [](const auto& moment) { return moment.time != 0; });
    if (first != moments_.end()) std::for_each(moments_.begin(), first, [&](auto& it) { it.time = first->time; });
}

void Recording::take_next(State& state) const {
    const auto& moment = moments_[state.next++];
    if (const auto told = read(std::string_view(text_).substr(moment.begin, moment.size))) {
        state.model.take(*told);
    } else {
        state.model.take_unreadable();
    }
}

boost::json::object Recording::picture(Time after) {
    const Time begin = moments_.empty() ? 0 : moments_.front().time;
    const auto at = begin + std::clamp<Time>(after, 0, length());
    const auto next =
        static_cast<std::size_t>(std::ranges::upper_bound(moments_, at, {}, &Moment::time) - moments_.begin());
    // Forward from where we are, or from the last state that was kept before it, whichever is nearer.
    const auto kept = std::ranges::upper_bound(kept_, next, {}, &State::next);
    if (kept != kept_.begin() && (state_.next > next || std::prev(kept)->next > state_.next)) state_ = *std::prev(kept);
    while (state_.next < next) take_next(state_);
    auto picture = state_.model.picture(at);
    picture["server"].as_object()["recording"] = {{"length", length()}, {"at", at - begin}};
    return picture;
}

}  // namespace observer
