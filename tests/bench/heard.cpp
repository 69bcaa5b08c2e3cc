#include "heard.hpp"

#include "app/text.hpp"
#include "load.hpp"

#include <algorithm>
#include <cstring>

namespace bench {

namespace {

std::string shown(std::string_view bytes) {
    return "`" + app::text::visible(bytes, 60) + "`";
}

[[noreturn]] void wrong(std::size_t member, const std::string& what) {
    throw WrongAnswer("member " + std::to_string(member) + ": " + what);
}

}  // namespace

Heard::Heard(Dialect dialect, std::size_t senders, std::size_t size, bool acknowledged, std::size_t first,
             std::size_t step)
    : dialect_(dialect),
      acknowledged_(acknowledged),
      first_(first),
      step_(step),
      stream_("", size, true),
      text_size_(size - 1),
      line_size_(words::said(dialect, 0, std::string(text_size_, '.')).size()),
      said_(senders),
      heard_(senders),
      complete_(senders),
      since_(senders) {}

Heard::Ear Heard::join(std::size_t member) {
    join_deaf(member);
    deaf_.pop_back();
    ++members_;
    return {begin_ + bytes_.size(), first_line_ + lines_.size()};
}

void Heard::join_deaf(std::size_t member) {
    deaf_.push_back(member);
    const std::string line = words::joined(dialect_, member);
    if (line.empty() || members_ == 0) return;
    bytes_ += line;
    parsed_ += line.size();
    lines_.push_back({parsed_, nobody, members_, {}});
}

std::string Heard::text(std::size_t sender, std::uint64_t number) {
    std::string text(text_size_, '\0');
    stream_.write(static_cast<std::uint32_t>(sender), number * stream_.message_size(), text_size_, text.data());
    return text;
}

void Heard::say(std::size_t sender, std::string& out) {
    out += words::say(dialect_, text(sender, said_[place(sender)]++));
    since_[place(sender)].push_back(Clock::now());
    ++to_come_;
}

// Against what others have heard already; the rest is new.
void Heard::check(std::size_t member, const Ear& ear, std::string_view bytes) {
    const std::string_view known = std::string_view(bytes_).substr(ear.position - begin_);
    const std::size_t common = std::min(known.size(), bytes.size());
    if (std::memcmp(known.data(), bytes.data(), common) != 0) {
        const auto differs =
            std::mismatch(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(common), known.begin());
        const auto at = static_cast<std::size_t>(differs.first - bytes.begin());
        wrong(member, "heard " + shown(bytes.substr(at)) + " where others heard " + shown(known.substr(at)));
    }
    if (bytes.size() == common) return;
    bytes_.append(bytes.substr(common));
    parse(member);
}

void Heard::parse(std::size_t member) {
    constexpr std::string_view about_somebody = " has ";
    for (;;) {
        const std::string_view rest = std::string_view(bytes_).substr(parsed_ - begin_);
        const std::size_t name = words::name(0).size();
        if (rest.size() < name + about_somebody.size()) return;
        const bool is_left = dialect_ == Dialect::text && rest.substr(name).starts_with(about_somebody);
        const std::size_t feed = is_left ? rest.find('\n') : line_size_ - 1;
        if (feed >= rest.size()) return;
        const std::string_view line = rest.substr(0, feed + 1);
        parsed_ += line.size();
        if (is_left) {
            parse_left(member, line);
        } else {
            parse_said(member, line);
        }
    }
}

void Heard::parse_said(std::size_t member, std::string_view line) {
    const std::size_t sender = Stream::connection(line.substr(line.size() - 2 - text_size_));
    const std::size_t at = place(sender);
    if (sender < first_ || (sender - first_) % step_ != 0 || at >= said_.size()) {
        wrong(member, "heard " + shown(line) + ", which nobody has said here");
    }
    const std::string expected = words::said(dialect_, sender, text(sender, heard_[at]));
    if (line != expected) {
        wrong(member, "heard " + shown(line) + " instead of line " + std::to_string(heard_[at]) + " of sender " +
                          std::to_string(sender) + ", " + shown(expected));
    }
    if (heard_[at] == said_[at]) wrong(member, "heard " + shown(line) + ", which nobody has said yet");
    ++heard_[at];
    --to_come_;
    lines_.push_back({parsed_, sender, members_, since_[at].front()});
    since_[at].pop_front();
}

void Heard::parse_left(std::size_t member, std::string_view line) {
    const auto who = std::find_if(deaf_.begin(), deaf_.end(),
                                  [&](std::size_t one) { return line.starts_with(words::left(dialect_, one)); });
    if (who == deaf_.end()) wrong(member, "heard " + shown(line) + ", which nobody has done");
    deaf_.erase(who);
    lines_.push_back({parsed_, nobody, members_, {}});
}

void Heard::forget() {
    while (!lines_.empty() && lines_.front().waiting == 0) {
        passed_ = lines_.front().end;
        lines_.pop_front();
        ++first_line_;
    }
    // Now and then: what is behind it has to be moved.
    constexpr std::size_t at_once = 64 * 1024;
    if (passed_ - begin_ < at_once) return;
    bytes_.erase(0, passed_ - begin_);
    begin_ = passed_;
}

}  // namespace bench
