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
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

namespace grade {

namespace {

constexpr std::size_t max_output_kept = 4096;
constexpr std::size_t max_last_lines = 20;  // a stack trace of Node or Java, with what it is about
constexpr std::size_t max_last_line = 200;
constexpr auto takes_its_port = "; does it take its port from {port}?";

// Below the range that the kernel takes for clients (32768 up), or a client could sit on the server's port.
constexpr int first_port = 20'000;
constexpr int last_port = 31'999;
constexpr int port_tries = 200;

// A signal that comes just before a poll(2) does not end it: it is looked for again after so long.
constexpr std::int64_t max_slice_ms = 100;

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

long ticks_of(const std::vector<pid_t>& pids) {
    long sum = 0;
    for (const pid_t pid : pids) sum += ticks_of(pid);
    return sum;
}

milliseconds in_time(long ticks) {
    return milliseconds(ticks * 1000 / ::sysconf(_SC_CLK_TCK));
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

struct Listening {
    std::string address, port, inode;

    /// As it is told: "127.0.0.1:1234", "[::1]:1234".
    std::string text() const {
        return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + port;
    }
};

/// What a line of /proc/net/tcp (or tcp6) says, where it is of a listening socket.
std::optional<Listening> listening_socket(const std::string& line) {
    std::istringstream fields(line);
    std::string number, local, remote, state, skipped, inode;
    fields >> number >> local >> remote >> state;
    constexpr auto* const listening = "0A";
    const auto colon = local.rfind(':');
    if (state != listening || colon == std::string::npos) return std::nullopt;
    constexpr int fields_before_inode = 5;
    for (int i = 0; i < fields_before_inode; ++i) fields >> skipped;
    fields >> inode;
    // The address's words, each printed as a number of this machine.
    constexpr std::size_t digits = 8;
    std::array<std::uint32_t, 4> words{};
    for (std::size_t i = 0; i < colon / digits && i < words.size(); ++i) {
        words[i] = static_cast<std::uint32_t>(std::stoul(local.substr(i * digits, digits), nullptr, 16));
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(colon == digits ? AF_INET : AF_INET6, words.data(), text.data(), text.size());
    return Listening{text.data(), std::to_string(std::stoul(local.substr(colon + 1), nullptr, 16)), inode};
}

std::vector<Listening> listening_sockets() {
    std::vector<Listening> found;
    for (const auto* const path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream sockets(path);
        std::string line;
        std::getline(sockets, line);  // the heading
        while (std::getline(sockets, line)) {
            if (auto socket = listening_socket(line)) found.push_back(std::move(*socket));
        }
    }
    return found;
}

/// Where these processes listen; nowhere where we may not look.
std::vector<Listening> listening_sockets_of(const std::vector<pid_t>& processes) {
    constexpr std::string_view socket = "socket:[";
    std::set<std::string> inodes;
    for (const pid_t pid : processes) {
        std::error_code gone;
        for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone)) {
            const std::string target = std::filesystem::read_symlink(entry.path(), gone);
            if (target.starts_with(socket)) {
                inodes.insert(target.substr(socket.size(), target.size() - socket.size() - 1));
            }
        }
    }
    auto found = listening_sockets();
    std::erase_if(found, [&](const Listening& each) { return !inodes.contains(each.inode); });
    return found;
}

/// The value of a field of /proc/PID/status, as "VmRSS:"; 0 where there is none.
std::size_t status_of(pid_t pid, std::string_view field) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(field)) return std::stoull(line.substr(field.size()));
    }
    return 0;
}

std::string replaced(std::string word, const std::string& what, const std::string& by) {
    for (auto at = word.find(what); at != std::string::npos; at = word.find(what, at + by.size())) {
        word.replace(at, what.size(), by);
    }
    return word;
}

}  // namespace

Server::Server(const std::string& host, const std::string& port, const Patience& patience, const TimeLimit& time_limit)
    : patience_(patience), time_limit_(time_limit), host_(host), port_(port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    if (error != 0) throw CannotRun("cannot find " + host + ":" + port + ": " + ::gai_strerror(error));
    std::memcpy(&address_, found->ai_addr, found->ai_addrlen);
    address_size_ = found->ai_addrlen;
    ::freeaddrinfo(found);
}

Server::Server(std::vector<std::string> command, const Patience& patience, const TimeLimit& time_limit)
    : patience_(patience), time_limit_(time_limit), words_(std::move(command)), host_("127.0.0.1") {
    choose_port();
}

void Server::choose_port() {
    std::random_device random;
    std::uniform_int_distribution<int> ports(first_port, last_port);
    int port = 0;
    port_lock_.close();
    for (int i = 0; i < port_tries && port_lock_.get() < 0; ++i) {
        port = ports(random);
        port_lock_ = lock_of(port);
        if (port_lock_.get() >= 0 && !is_free(port)) port_lock_.close();
    }
    if (port_lock_.get() < 0) throw CannotRun("there is no free port between 20000 and 31999");
    port_ = std::to_string(port);
    command_ = words_;
    for (auto& word : command_) word = replaced(word, "{port}", port_);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&address_, &address, sizeof address);
    address_size_ = sizeof address;
    has_run_ = false;
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
    if (has_run_) choose_port();
    launch();
}

void Server::start_again() {
    stop();
    launch();
}

void Server::launch() {
    output_.clear();
    ending_.clear();
    has_run_ = true;
    keeper_ = std::make_unique<Keeper>(command_);
    constexpr milliseconds look_again{5};
    const auto begin = Clock::now();
    const auto deadline = begin + (most_start_.count() > 0 ? most_start_ : patience_.start());
    auto look = Clock::now() + patience_.a_while();
    auto at_other_address_since = Clock::time_point::max();
    auto at_other_port_since = Clock::time_point::max();
    const auto since = [](bool is_so, Clock::time_point before) {
        return is_so ? std::min(before, Clock::now()) : Clock::time_point::max();
    };
    const auto with_last_words = [this](const std::string& what) {
        const std::string words = last_words();
        return what + (words.empty() ? "" : "\n  its last words:\n" + words);
    };
    // Each verdict looks once more: on a busy machine much happens since the last look.
    while (!is_listened_at()) {
        if (const auto why = gone_to_background(); !why.empty()) throw CannotRun(with_last_words(why));
        if (!is_running()) {
            sleep(look_again);
            throw CannotRun(
                with_last_words("the server ended before it listened at 127.0.0.1:" + port_ + ": " + ending()));
        }
        // A server may open one address after the other, so the first one gets company for a while.
        const auto elsewhere = listened_at();
        at_other_address_since = since(!elsewhere.empty(), at_other_address_since);
        if (Clock::now() - patience_.reply() > at_other_address_since && !is_listened_at()) {
            throw CannotRun("the server listens at " + elsewhere[0] + " only, and is asked at 127.0.0.1:" + port_ +
                            ": let it listen there (the name localhost may mean either)");
        }
        // It may open a port for something else first, and is busy then until it opens ours.
        if (Clock::now() > look) {
            look = Clock::now() + patience_.a_while();
            const auto own = is_busy() ? std::vector<std::string>() : at_other_ports();
            at_other_port_since = since(!own.empty(), at_other_port_since);
            if (Clock::now() - 2 * patience_.reply() > at_other_port_since && !is_listened_at()) {
                throw CannotRun(with_last_words("the server listens at " + own[0] + ", not at 127.0.0.1:" + port_ +
                                                takes_its_port));
            }
        }
        if (Clock::now() > deadline && !is_listened_at()) {
            const auto own = at_other_ports();
            const std::string where = own.empty() ? "runs, but nobody listens" : "listens at " + own[0] + ", not";
            throw CannotRun(with_last_words("the server " + where + " at 127.0.0.1:" + port_ + takes_its_port));
        }
        sleep(look_again);
    }
    start_took_ = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
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

std::vector<std::string> Server::listened_at() const {
    std::vector<std::string> found;
    for (const auto& socket : listening_sockets()) {
        if (socket.port == port_) found.push_back(socket.text());
    }
    return found;
}

std::vector<std::string> Server::at_other_ports() const {
    std::vector<std::string> found;
    for (const auto& socket : listening_sockets_of(processes())) {
        if (socket.port != port_) found.push_back(socket.text());
    }
    return found;
}

bool Server::is_listened_at() const {
    const auto all = listened_at();
    return std::any_of(all.begin(), all.end(), [this](const std::string& address) {
        // [::] takes IPv4's connections, too, unless it is told not to, which cannot be seen from here.
        for (const auto* const reachable : {"127.0.0.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]"}) {
            if (address == reachable + (":" + port_)) return true;
        }
        return false;
    });
}

std::string Server::gone_to_background() {
    if (!keeper_ || exit_code() != 0) return "";
    const auto others = processes().size();
    if (others == 0) return "";
    return "the server has gone to the background: its first process has ended (exit code 0), " +
           count(others, "process") + (others == 1 ? " goes" : " go") +
           " on; start it in the foreground, where it can be watched and signalled";
}

// ---- what it prints -------------------------------------------------------------------------------------------------

void Server::read_output() {
    // A server that floods is not to keep us here: the rest is read at the next opportunity.
    constexpr int max_reads = 16;
    std::array<char, 16 * 1024> bytes;
    for (int i = 0; i < max_reads; ++i) {
        const auto size = ::read(keeper_->output(), bytes.data(), bytes.size());
        if (size <= 0) return;
        printed_ += static_cast<std::size_t>(size);
        output_.append(bytes.data(), static_cast<std::size_t>(size));
        if (output_.size() > max_output_kept) output_.erase(0, output_.size() - max_output_kept);
    }
}

const std::string& Server::output() {
    if (keeper_) read_output();
    return output_;
}

Server::Second Server::start_second() {
    constexpr milliseconds look_again{20};
    constexpr int times_a_start = 5;
    const auto deadline = Clock::now() + std::max(patience_.most(), times_a_start * start_took_);
    Keeper keeper(command_);
    Second second;
    const auto read = [&] {
        std::array<char, max_output_kept> bytes;
        const auto size = ::read(keeper.output(), bytes.data(), bytes.size());
        if (size <= 0 || second.output.size() > max_output_kept) return;
        second.output.append(bytes.data(), static_cast<std::size_t>(size));
    };
    const auto is_ours = [this](const Listening& socket) { return socket.port == port_; };
    while (second.ending.empty() && !second.shares_port && Clock::now() < deadline) {
        sleep(look_again);
        read();
        second.ending = keeper.ending();
        const auto listens_at = listening_sockets_of(keeper.processes());
        second.shares_port = std::any_of(listens_at.begin(), listens_at.end(), is_ours);
    }
    read();
    second.exit_code = keeper.exit_code();
    return second;
}

std::string Server::last_words() {
    if (keeper_) read_output();
    std::vector<std::string> lines;
    std::istringstream text(output_);
    for (std::string line; std::getline(text, line);) lines.push_back(app::text::visible(line, max_last_line));
    const std::size_t first = lines.size() - std::min(lines.size(), max_last_lines);
    std::string words;
    for (std::size_t i = first; i < lines.size(); ++i) words += "    | " + lines[i] + "\n";
    return words;
}

// ---- waiting --------------------------------------------------------------------------------------------------------

milliseconds Server::reply() const {
    constexpr int enough_failures = 2;
    constexpr int generous = 10;
    if (silent_failures_ < enough_failures) return patience_.reply();
    return std::min(patience_.reply(), std::max(patience_.a_while() * 2, slowest_answer_ * generous));
}

milliseconds Server::most() const {
    return patience_.most() * reply().count() / patience_.reply().count();
}

int Server::wait(std::span<pollfd> descriptors, milliseconds within) {
    std::vector<pollfd> all(descriptors.begin(), descriptors.end());
    all.push_back({keeper_ ? keeper_->output() : -1, POLLIN, 0});
    for (const auto deadline = Clock::now() + within;;) {
        time_limit_.check();
        if (most_output_ > 0 && printed_ > most_output_) {
            throw CannotRun("the server has printed more than " + std::to_string(most_output_ >> 20) + " MiB");
        }
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
        const auto slice = std::clamp<std::int64_t>(left, 0, max_slice_ms);
        int ready = ::poll(all.data(), all.size(), static_cast<int>(slice));
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
    constexpr int enough_looks = 3;  // what we have sent may not have reached it yet at the first
    const auto deadline = Clock::now() + patience_.most();
    if (!is_running()) return;  // nor is one that is not ours
    const long ticks_before = ticks_of(processes());
    for (int idle_looks = 0; idle_looks < enough_looks && Clock::now() < deadline;) {
        sleep(look_again);
        if (!is_running()) return;
        const auto all = processes();
        const bool is_gone = std::find(all.begin(), all.end(), pid()) == all.end();  // and we shall hear of it soon
        const bool is_idle = !is_gone && std::none_of(all.begin(), all.end(), has_runnable_thread);
        idle_looks = is_idle ? idle_looks + 1 : 0;
        if (in_time(ticks_of(all) - ticks_before) > patience_.a_while()) return;
    }
}

std::size_t Server::resident_bytes() const {
    std::size_t sum = 0;
    for (const pid_t pid : processes()) sum += status_of(pid, "VmRSS:") * 1024;
    return sum;
}

std::size_t Server::threads() const {
    std::size_t sum = 0;
    for (const pid_t pid : processes()) sum += status_of(pid, "Threads:");
    return sum;
}

bool Server::is_busy() {
    if (!is_running()) return false;
    const auto all = processes();
    const long ticks = ticks_of(all);
    const bool has_worked = ticks > std::exchange(ticks_, ticks);
    // One that is ready to run, and does not get its turn, is not hung either.
    return has_worked || std::any_of(all.begin(), all.end(), has_runnable_thread);
}

}  // namespace grade
