#include "limits/guest.hpp"

#include <algorithm>

namespace limits {

Guest::Guest(std::uint16_t port, bool chats, int number) : client_(port), number_(number) {
    if (chats) say("guest" + std::to_string(number));
}

void Guest::say(const std::string& words) {
    client_.send(words + "\r\n");
}

bool Guest::is_answered(std::chrono::milliseconds within) try {
    const std::string words = "word " + std::to_string(++said_) + " of guest " + std::to_string(number_);
    say(words);
    return !hear(words, within).empty();
} catch (const std::exception&) {  // the connection has ended
    return false;
}

void Guest::begin() {
    if (!is_answered(support::patience())) throw NotAsked{"the server does not answer its first guest"};
}

std::string Guest::hear(const std::string& words, std::chrono::milliseconds within) {
    const support::Deadline deadline(within);
    while (client_.has_news(std::chrono::milliseconds(deadline.left_ms()))) {
        std::string line = client_.recv_line();
        if (line.find(words) != std::string::npos) return line;
    }
    return {};
}

bool Guest::is_ended(std::chrono::milliseconds within) try {
    client_.wait_for_end(within);
    return true;
} catch (const support::Failure&) {
    return false;
}

House::House(const Trial& trial, const std::vector<std::string>& options, const support::Command& conditions) try
    : chats_(trial.is_chat()),
      etcd_(trial.server.is_over_etcd ? std::make_unique<support::Etcd>() : nullptr),
      server_(trial.server.program, with_its_own(options), conditions) {
} catch (const std::exception& trouble) {
    throw NotAsked{trouble.what()};
}

std::vector<std::string> House::with_its_own(std::vector<std::string> options) const {
    if (chats_) options.insert(options.end(), {"--rate", "0"});
    if (etcd_) options.insert(options.end(), {"--engine", "etcd", "--etcd", etcd_->urls(), "--workers", "2"});
    return options;
}

std::unique_ptr<Guest> House::guest() {
    return std::make_unique<Guest>(server_.port(), chats_, ++guests_);
}

Guests House::guests(int number) {
    Guests guests;
    for (int i = 0; i < number; ++i) guests.push_back(guest());
    return guests;
}

bool House::all_are_answered(const Guests& guests, std::chrono::milliseconds within_each) {
    return std::ranges::all_of(guests, [&](const auto& guest) { return guest->is_answered(within_each); });
}

}  // namespace limits
