#include "observer/kernel.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace observer {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

namespace {

/// New processes and new listening sockets are looked for this often; a listening socket that has gone, at once.
constexpr std::chrono::milliseconds new_processes{400}, new_listeners{2000};

std::string contents(const std::string& path) {
    std::string all;
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return all;
    std::array<char, 65536> piece;
    for (ssize_t size = 0; (size = ::read(file, piece.data(), piece.size())) > 0;) {
        all.append(piece.data(), static_cast<std::size_t>(size));
    }
    ::close(file);
    return all;
}

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Calls `each` with every name in the folder.
void list(const std::string& folder, const std::function<void(const char*)>& each) {
    DIR* const open = ::opendir(folder.c_str());
    if (open == nullptr) return;
    while (const auto* entry = ::readdir(open)) {
        if (entry->d_name[0] != '.') each(entry->d_name);
    }
    ::closedir(open);
}

std::string of(pid_t pid, std::string_view what) {
    return "/proc/" + std::to_string(pid) + "/" + std::string(what);
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const auto begin = line.find_first_not_of(' ');
        if (begin == line.npos) break;
        line.remove_prefix(begin);
        const auto end = line.find(' ');
        words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end, line.size()));
    }
    return words;
}

/// /proc/PID/stat, see proc(5). The name in it may hold anything, so the rest is counted from its end.
struct Stat {
    std::string name;
    char state = '?';
    pid_t parent = 0;
    std::uint64_t ticks = 0, threads = 0, resident_bytes = 0;
};
std::optional<Stat> read_stat(const std::string& path) {
    const auto text = contents(path);
    const auto open = text.find('('), close = text.rfind(')');
    if (open == text.npos || close == text.npos || close + 2 >= text.size()) return std::nullopt;
    const auto words = words_of(std::string_view(text).substr(close + 2));
    constexpr std::size_t state = 0, parent = 1, user = 11, system = 12, threads = 17, resident = 21;
    if (words.size() <= resident) return std::nullopt;
    static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const auto count = [&](std::size_t place) { return number<std::uint64_t>(words[place]).value_or(0); };
    return Stat{text.substr(open + 1, close - open - 1),
                words[state].front(),
                number<pid_t>(words[parent]).value_or(0),
                count(user) + count(system),
                count(threads),
                count(resident) * page};
}

/// A line of /proc/net/tcp or tcp6.
struct TcpLine {
    std::string_view local, remote;
    unsigned state;
    std::int64_t unsent, unread;  // unread of a listening socket: how many wait for accept
    std::uint64_t inode;
};
std::optional<TcpLine> read_tcp(std::string_view line) {
    const auto words = words_of(line);
    constexpr std::size_t local = 1, remote = 2, state = 3, queues = 4, inode = 9;
    if (words.size() <= inode) return std::nullopt;
    const auto colon = words[queues].find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto hex = [](std::string_view text) { return number<std::int64_t>(text, 16).value_or(0); };
    return TcpLine{words[local],
                   words[remote],
                   static_cast<unsigned>(hex(words[state])),
                   hex(words[queues].substr(0, colon)),
                   hex(words[queues].substr(colon + 1)),
                   number<std::uint64_t>(words[inode]).value_or(0)};
}
constexpr unsigned established = 1, close_wait = 8, listening = 10;

/// `0100007F:5CEF` as `127.0.0.1:23791`: words of 32 bits, as they lie in memory.
std::string address(std::string_view text) {
    const auto colon = text.find(':');
    const auto port = number<unsigned>(text.substr(std::min(colon, text.size() - 1) + 1), 16).value_or(0);
    constexpr std::size_t word = 8;
    std::array<std::uint32_t, 4> bits{};
    for (std::size_t at = 0; at < 4 && (at + 1) * word <= colon; ++at) {
        bits[at] = number<std::uint32_t>(text.substr(at * word, word), 16).value_or(0);
    }
    const bool is_6 = colon > word;
    std::array<char, INET6_ADDRSTRLEN> shown{};
    ::inet_ntop(is_6 ? AF_INET6 : AF_INET, bits.data(), shown.data(), shown.size());
    return (is_6 ? "[" + std::string(shown.data()) + "]" : std::string(shown.data())) + ":" + std::to_string(port);
}

std::string_view port_of(std::string_view address) {
    return address.substr(address.find(':') + 1);
}

void each_line(std::string_view text, const std::function<void(std::string_view)>& each) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);  // the heading
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        each(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::string_view words_of_state(char state) {
    switch (state) {
        case 'R': return "runs";
        case 'S': return "waits";
        case 'D': return "waits for the disk";
        case 'T':
        case 't': return "is stopped";
        case 'Z': return "has ended";
        default: return "is";
    }
}

}  // namespace

// ---- processes ------------------------------------------------------------------------------------------------------

void Kernel::look_for_processes() {
    const auto now = Clock::now();
    if (now - looked_for_processes_ < new_processes) return;
    looked_for_processes_ = now;
    std::multimap<pid_t, pid_t> children;
    list("/proc", [&](const char* name) {
        const auto pid = number<pid_t>(name);
        if (!pid) return;
        if (const auto stat = read_stat(of(*pid, "stat"))) children.emplace(stat->parent, *pid);
    });
    pids_ = {root_};
    for (std::size_t at = 0; at < pids_.size(); ++at) {
        const auto [begin, end] = children.equal_range(pids_[at]);
        for (auto child = begin; child != end; ++child) pids_.push_back(child->second);
    }
}

double Kernel::cpu_percent(std::uint64_t id, std::uint64_t ticks) {
    seen_.insert(id);
    const auto now = Clock::now();
    const auto [last, is_first] = usage_.try_emplace(id, Usage{ticks, now});
    if (is_first) return 0;
    const std::chrono::duration<double> passed = now - last->second.at;
    const auto used = ticks >= last->second.ticks ? ticks - last->second.ticks : 0;
    last->second = {ticks, now};
    static const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    return passed.count() <= 0 ? 0 : 100 * static_cast<double>(used) / ticks_per_second / passed.count();
}

json::object Kernel::processes() {
    look_for_processes();
    json::array shown;
    std::size_t count = 0;
    seen_.clear();
    for (const auto pid : pids_) {
        const auto stat = read_stat(of(pid, "stat"));
        if (!stat || stat->state == 'Z') continue;
        if (++count > max_processes) continue;
        std::uint64_t descriptors = 0;
        list(of(pid, "fd"), [&](const char*) { ++descriptors; });
        json::array threads;
        std::uint64_t left_out = 0;
        list(of(pid, "task"), [&](const char* name) {
            if (threads.size() == max_threads) return void(++left_out);
            const auto thread = read_stat(of(pid, "task/") + name + "/stat");
            if (!thread) return;
            const auto id = number<std::uint64_t>(name).value_or(0);
            threads.push_back(json::object{{"name", thread->name},
                                           {"id", id},
                                           {"state", words_of_state(thread->state)},
                                           {"cpu", cpu_percent(id << 1 | 1, thread->ticks)}});
        });
        shown.push_back(json::object{{"pid", pid},
                                     {"parent", stat->parent},
                                     {"name", stat->name},
                                     {"state", words_of_state(stat->state)},
                                     {"cpu", cpu_percent(static_cast<std::uint64_t>(pid) << 1, stat->ticks)},
                                     {"memory", stat->resident_bytes},
                                     {"descriptors", descriptors},
                                     {"thread_count", stat->threads},
                                     {"threads", std::move(threads)},
                                     {"threads_left_out", left_out}});
    }
    std::erase_if(usage_, [&](const auto& entry) { return !seen_.contains(entry.first); });
    if (shown.empty()) return {};
    return {{"left_out", count - shown.size()}, {"shown", std::move(shown)}};
}

// ---- the door -------------------------------------------------------------------------------------------------------

void Kernel::look_for_listeners() {
    look_for_processes();
    std::set<std::uint64_t> inodes;
    for (const auto pid : pids_) {
        list(of(pid, "fd"), [&](const char* name) {
            std::array<char, 64> target{};
            const auto size = ::readlink((of(pid, "fd/") + name).c_str(), target.data(), target.size() - 1);
            std::string_view socket(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
            if (!socket.starts_with("socket:[")) return;
            socket.remove_prefix(std::string_view("socket:[").size());
            if (const auto inode = number<std::uint64_t>(socket.substr(0, socket.size() - 1))) inodes.insert(*inode);
        });
    }
    listeners_.clear();
    for (const auto* const file : {"net/tcp", "net/tcp6"}) {
        each_line(contents(of(root_, file)), [&](std::string_view line) {
            const auto socket = read_tcp(line);
            if (socket && socket->state == listening && inodes.contains(socket->inode))
                listeners_.insert(socket->inode);
        });
    }
}

json::object Kernel::door() {
    const auto now = Clock::now();
    if (listeners_.empty() || now - looked_for_listeners_ >= new_listeners) {
        look_for_listeners();
        looked_for_listeners_ = now;
    }
    if (listeners_.empty()) return {};
    json::array addresses, waiting, sockets;
    std::set<std::string, std::less<>> ports;
    std::int64_t waits = 0, waiting_unread = 0, accepted = 0, unread = 0, unsent = 0;
    for (const auto* const file : {"net/tcp", "net/tcp6"}) {
        const auto text = contents(of(root_, file));
        // The kernel lists those that listen first.
        each_line(text, [&](std::string_view line) {
            const auto socket = read_tcp(line);
            if (!socket) return;
            if (socket->state == listening && listeners_.contains(socket->inode)) {
                ports.emplace(port_of(socket->local));
                addresses.push_back(json::value(address(socket->local)));
                waits += socket->unread;
                return;
            }
            if ((socket->state != established && socket->state != close_wait) ||
                !ports.contains(port_of(socket->local)))
                return;
            const bool is_accepted = socket->inode != 0;
            (is_accepted ? unread : waiting_unread) += socket->unread;
            accepted += is_accepted;
            if (is_accepted) unsent += socket->unsent;
            auto& list = is_accepted ? sockets : waiting;
            const bool is_news = !is_accepted || socket->unread > 0 || socket->unsent > 0;
            if (!is_news || list.size() == (is_accepted ? max_sockets : max_waiting)) return;
            list.push_back(json::object{
                {"peer", address(socket->remote)}, {"unread", socket->unread}, {"unsent", socket->unsent}});
        });
    }
    const auto listed = static_cast<std::int64_t>(waiting.size());
    return {{"addresses", std::move(addresses)},
            {"waits", std::max(waits, listed)},
            {"waiting", std::move(waiting)},
            {"left_out", std::max(waits, listed) - listed},
            {"waiting_unread", waiting_unread},
            {"accepted", accepted},
            {"unread", unread},
            {"unsent", unsent},
            {"sockets", std::move(sockets)}};
}

}  // namespace observer
