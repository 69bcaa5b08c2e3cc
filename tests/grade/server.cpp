#include "grade/server.hpp"

#include "grade/bytes.hpp"
#include "grade/verdict.hpp"

#include "app/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

namespace grade {

namespace {

constexpr std::size_t max_output_kept = 4096;
constexpr std::size_t max_last_lines = 6;
constexpr std::size_t max_last_line = 200;

// Below the range that the kernel takes for clients (32768 up), or a client could sit on the server's port.
constexpr int first_port = 20'000;
constexpr int last_port = 31'999;
constexpr int port_tries = 200;

/// Holds the name `five-grade-PORT` in the abstract namespace, which vanishes with us. Invalid where another has it.
support::Descriptor lock_of(int port) {
    support::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const std::string name = "five-grade-" + std::to_string(port);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path + 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) socket.close();
    return socket;
}

bool is_free(int port) {
    const support::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// Fields 14 and 15 of /proc/PID/stat: processor time in ticks, user and system.
long ticks_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string stat;
    std::getline(file, stat);
    std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return user + system;
}

/// Whether one of its threads runs, or waits for a processor (R) or for a disk (D: Python reads much before it dies).
/// Of very many threads only some are looked at.
bool has_runnable_thread(pid_t pid) {
    constexpr int max_looked_at = 2000;
    int looked_at = 0;
    std::error_code ended;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", ended)) {
        std::ifstream file(task.path() / "stat");
        std::string stat;
        std::getline(file, stat);
        const auto name_end = stat.rfind(')');
        const std::string state = name_end == std::string::npos ? "" : stat.substr(name_end, 3);
        if (state == ") R" || state == ") D") return true;
        if (++looked_at == max_looked_at) break;
    }
    return false;
}

/// Whether a line of /proc/net/tcp (or tcp6) is a listening socket at that port.
bool is_listener(const std::string& line, unsigned port) {
    std::istringstream fields(line);
    std::string number, local, remote, state;
    fields >> number >> local >> remote >> state;
    constexpr auto* const listening = "0A";
    const auto colon = local.rfind(':');
    return state == listening && colon != std::string::npos && std::stoul(local.substr(colon + 1), nullptr, 16) == port;
}

std::string replaced(std::string word, const std::string& what, const std::string& by) {
    for (auto at = word.find(what); at != std::string::npos; at = word.find(what, at + by.size())) {
        word.replace(at, what.size(), by);
    }
    return word;
}

}  // namespace

Server::Server(const std::string& host, const std::string& port, const Patience& patience)
    : patience_(patience), host_(host), port_(port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    if (error != 0) throw CannotRun("cannot find " + host + ":" + port + ": " + ::gai_strerror(error));
    std::memcpy(&address_, found->ai_addr, found->ai_addrlen);
    address_size_ = found->ai_addrlen;
    ::freeaddrinfo(found);
}

Server::Server(std::vector<std::string> command, const Patience& patience)
    : patience_(patience), command_(std::move(command)), host_("127.0.0.1") {
    std::random_device random;
    std::uniform_int_distribution<int> ports(first_port, last_port);
    int port = 0;
    for (int i = 0; i < port_tries && port_lock_.get() < 0; ++i) {
        port = ports(random);
        port_lock_ = lock_of(port);
        if (port_lock_.get() >= 0 && !is_free(port)) port_lock_.close();
    }
    if (port_lock_.get() < 0) throw CannotRun("there is no free port between 20000 and 31999");
    port_ = std::to_string(port);
    for (auto& word : command_) word = replaced(word, "{port}", port_);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&address_, &address, sizeof address);
    address_size_ = sizeof address;
}

Server::~Server() = default;

std::string Server::name() const {
    if (!is_ours()) return host_ + ":" + port_;
    std::string all;
    for (const auto& word : command_) all += (all.empty() ? "" : " ") + word;
    return all;
}

// ---- starting and ending --------------------------------------------------------------------------------------------

void Server::start() {
    if (is_running()) return;
    stop();
    output_.clear();
    ending_.clear();
    keeper_ = std::make_unique<Keeper>(command_);
    constexpr milliseconds look_again{5};
    const auto deadline = Clock::now() + patience_.start();
    while (!is_listened_at()) {
        if (!is_running()) {
            sleep(look_again);
            throw CannotRun("the server ended before it listened at 127.0.0.1:" + port_ + ": " + ending() +
                            "\n  its last words:\n" + last_words());
        }
        if (Clock::now() > deadline) {
            throw CannotRun("the server runs, but nobody listens at 127.0.0.1:" + port_ +
                            "; does it take its port from {port}?\n  its last words:\n" + last_words());
        }
        sleep(look_again);
    }
    ticks_ = 0;
    is_busy();
}

void Server::stop() {
    if (!keeper_) return;
    read_output();
    ending_ = keeper_->ending();
    keeper_.reset();
}

std::string Server::ending() {
    return keeper_ ? keeper_->ending() : ending_;
}

void Server::signal(int number) {
    if (is_running()) ::kill(keeper_->pid(), number);
}

bool Server::wait_end(milliseconds within) {
    constexpr milliseconds look_again{10};
    for (const auto deadline = Clock::now() + within; is_running(); sleep(look_again)) {
        if (Clock::now() > deadline) return false;
    }
    return true;
}

bool Server::is_listened_at() const {
    const auto port = static_cast<unsigned>(std::stoul(port_));
    for (const auto* const path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream sockets(path);
        std::string line;
        std::getline(sockets, line);  // the heading
        while (std::getline(sockets, line)) {
            if (is_listener(line, port)) return true;
        }
    }
    return false;
}

// ---- what it prints -------------------------------------------------------------------------------------------------

void Server::read_output() {
    // A server that floods is not to keep us here: the rest is read at the next opportunity.
    constexpr int max_reads = 16;
    std::array<char, 16 * 1024> bytes;
    for (int i = 0; i < max_reads; ++i) {
        const auto size = ::read(keeper_->output(), bytes.data(), bytes.size());
        if (size <= 0) return;
        output_.append(bytes.data(), static_cast<std::size_t>(size));
        if (output_.size() > max_output_kept) output_.erase(0, output_.size() - max_output_kept);
    }
}

std::string Server::last_words() {
    if (keeper_) read_output();
    std::vector<std::string> lines;
    std::istringstream text(output_);
    for (std::string line; std::getline(text, line);) lines.push_back(app::text::visible(line, max_last_line));
    const std::size_t first = lines.size() - std::min(lines.size(), max_last_lines);
    std::string words;
    for (std::size_t i = first; i < lines.size(); ++i) words += "    " + lines[i] + "\n";
    return words;
}

// ---- waiting --------------------------------------------------------------------------------------------------------

int Server::wait(std::span<pollfd> descriptors, milliseconds within) {
    std::vector<pollfd> all(descriptors.begin(), descriptors.end());
    all.push_back({keeper_ ? keeper_->output() : -1, POLLIN, 0});
    for (const auto deadline = Clock::now() + within;;) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
        int ready = ::poll(all.data(), all.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
        auto& output = all.back();
        if (ready > 0 && output.revents != 0) {
            read_output();
            if ((output.revents & POLLIN) == 0) output.fd = -1;  // nobody can print any more
            --ready;
        }
        if (ready > 0) {
            std::copy(all.begin(), all.end() - 1, descriptors.begin());
            return ready;
        }
        if (left <= 0) return 0;
    }
}

void Server::settle() {
    constexpr milliseconds look_again{1};
    const auto deadline = Clock::now() + patience_.a_while();
    do {
        sleep(look_again);
        if (!is_running()) return;  // nor is one that is not ours
        const auto all = processes();
        const bool is_gone = std::find(all.begin(), all.end(), pid()) == all.end();  // and we shall hear of it soon
        if (!is_gone && std::none_of(all.begin(), all.end(), has_runnable_thread)) return;
    } while (Clock::now() < deadline);
}

bool Server::is_busy() {
    if (!is_running()) return false;
    const auto all = processes();
    long ticks = 0;
    for (const pid_t pid : all) ticks += ticks_of(pid);
    const bool has_worked = ticks > std::exchange(ticks_, ticks);
    // One that is ready to run, and does not get its turn, is not hung either.
    return has_worked || std::any_of(all.begin(), all.end(), has_runnable_thread);
}

}  // namespace grade
