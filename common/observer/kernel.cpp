#include "observer/kernel.hpp"

#include "observer/files.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include <unistd.h>

namespace observer {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;
using files::contents, files::list, files::number, files::of, files::words_of;

namespace {

/// New processes and new listening sockets are looked for this often; a listening socket that has gone, at once.
constexpr std::chrono::milliseconds new_processes{400}, new_listeners{2000};

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
    ours_.clear();
    for (const auto pid : pids_) {
        list(of(pid, "fd"), [&](const char* name) {
            std::array<char, 64> target{};
            const auto size = ::readlink((of(pid, "fd/") + name).c_str(), target.data(), target.size() - 1);
            std::string_view socket(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
            if (!socket.starts_with("socket:[")) return;
            socket.remove_prefix(std::string_view("socket:[").size());
            if (const auto inode = number<std::uint64_t>(socket.substr(0, socket.size() - 1))) ours_.insert(*inode);
        });
    }
}

json::object Kernel::door() {
    const auto now = Clock::now();
    if (!has_listeners_ || now - looked_for_listeners_ >= new_listeners) {
        look_for_listeners();
        looked_for_listeners_ = now;
    }
    json::array addresses, waiting, sockets;
    std::vector<TcpSocket> listening;
    std::int64_t waits = 0, waiting_unread = 0, accepted = 0, unread = 0, unsent = 0;
    table_.listening([&](TcpSocket&& socket) {
        if (!ours_.contains(socket.inode)) return;
        addresses.push_back(json::value(socket.address));
        waits += socket.unread;
        listening.push_back(std::move(socket));
    });
    has_listeners_ = !listening.empty();
    if (!has_listeners_) return {};
    table_.connections(listening, [&](TcpSocket&& socket) {
        const bool is_accepted = socket.inode != 0;
        (is_accepted ? unread : waiting_unread) += socket.unread;
        accepted += is_accepted;
        if (is_accepted) unsent += socket.unsent;
        auto& list = is_accepted ? sockets : waiting;
        const bool is_news = !is_accepted || socket.unread > 0 || socket.unsent > 0;
        if (!is_news || list.size() == (is_accepted ? max_sockets : max_waiting)) return;
        list.push_back(json::object{{"peer", socket.peer}, {"unread", socket.unread}, {"unsent", socket.unsent}});
    });
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
