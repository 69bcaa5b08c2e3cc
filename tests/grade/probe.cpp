#include "grade/probe.hpp"

#include "grade/bytes.hpp"

#include <sys/resource.h>

namespace grade {

std::string echo(std::string_view lines) {
    std::string answer;
    while (!lines.empty()) {
        const auto size = std::min(lines.find('\n'), lines.size() - 1) + 1;
        answer += "ECHO ";
        answer += lines.substr(0, size);
        lines.remove_prefix(size);
    }
    return answer;
}

std::string word(std::mt19937_64& random, std::size_t size) {
    std::string letters(size, ' ');
    for (char& letter : letters) letter = static_cast<char>('a' + random() % 26);
    return letters;
}

std::string lines(std::mt19937_64& random, std::size_t number, std::size_t max) {
    std::string text;
    for (std::size_t i = 0; i < number; ++i) text += word(random, random() % (max + 1)) + "\n";
    return text;
}

std::string numbered_lines(std::mt19937_64& random, std::size_t number, std::size_t max) {
    std::string text;
    for (std::size_t i = 1; i <= number; ++i) {
        text += std::to_string(i) + " " + word(random, 1 + random() % max) + "\n";
    }
    return text;
}

std::function<std::size_t()> sizes(std::mt19937_64& random, std::size_t max) {
    return [&random, max] {
        const auto bits = random() % 64;
        return 1 + (random() >> bits) % max;
    };
}

void expect_served(Server& server, const std::string& after) {
    try {
        Client client(server);
        client.send("and me?\n").expect("ECHO and me?\n");
    } catch (Wrong& wrong) {
        wrong.hint = after + " must cost nobody else anything: handle it in that session, and go on accepting.";
        throw;
    }
}

std::string send_until_stuck(Server& server, Client& client, const std::string& lines, std::size_t limit) {
    // Kernels probe a closed window, and let a few bytes through each time: that is stuck, too.
    constexpr std::size_t trickle = 64 << 10;
    std::string sent;
    std::string_view left;
    std::size_t looked_at = 0;
    auto look = Clock::now() + server.patience().a_while();
    while (sent.size() < limit && client.takes_more(server.patience().a_while())) {
        if (left.empty()) left = lines;
        const auto size = client.send_some(left);
        sent += left.substr(0, size);
        left.remove_prefix(size);
        if (Clock::now() < look) continue;
        if (sent.size() - looked_at < trickle) break;
        looked_at = sent.size();
        look = Clock::now() + server.patience().a_while();
    }
    return sent;
}

void expect_open_files(std::size_t number) {
    constexpr std::size_t besides = 100;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < number + besides) {
        throw NotPossible("this system lets one process open only " + std::to_string(files.rlim_cur) + " files");
    }
}

std::vector<std::unique_ptr<Client>> connect(Server& server, std::size_t number) {
    std::vector<std::unique_ptr<Client>> clients;
    while (clients.size() < number) clients.push_back(std::make_unique<Client>(server));
    return clients;
}

}  // namespace grade
