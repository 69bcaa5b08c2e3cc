#include "counts.hpp"

#include "measure.hpp"
#include "process.hpp"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <system_error>
#include <thread>

namespace bench {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto a_moment = 300ms;
constexpr auto a_longer_one = 1200ms;
constexpr auto written_within = 10s;  // strace's table, after the server has ended

// A directory of its own, which goes with it.
class Directory {
public:
    Directory() {
        std::string name = fs::temp_directory_path() / "bench.XXXXXX";
        if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::system_category(), "mkdtemp " + name);
        path_ = name;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The number that a line begins with; 0 if it begins with none.
double number_in(std::string_view text) {
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// The messages of a run of this length; `end` ends the server.
template <typename End>
double messages(const Case& what, const Subject& subject, const std::vector<std::string>& command, int core,
                std::chrono::milliseconds measured, const std::stop_token& stop, End end) {
    const Server server(command, core);
    Plan plan = plan_for(what, subject);
    plan.port = server.port();
    plan.server = server.pid();
    plan.warm_up = 0ms;
    plan.measured = measured;
    const Report report = run(plan, stop);
    end(server);
    return static_cast<double>(report.messages);
}

// What a longer run had more of than a short one, for each message that it had more. `counted` runs and counts.
template <typename Counted>
auto for_a_message(Counted counted) {
    const auto [few, less] = counted(a_moment);
    const auto [many, more] = counted(a_longer_one);
    std::vector<double> each;
    for (std::size_t i = 0; i < less.size(); ++i) each.push_back((more[i] - less[i]) / (many - few));
    return each;
}

using Counted = std::pair<double, std::vector<double>>;  // messages, and what they took

std::vector<std::string> under(std::vector<std::string> tool, const std::vector<std::string>& command) {
    tool.insert(tool.end(), command.begin(), command.end());
    return tool;
}

// strace heeds no signal, and ends with its child: then its table is there.
void end_and_await(const Server& strace, const fs::path& table) {
    kill(family(strace.pid()).at(1), SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + written_within;
    while (text_of(table).find(" total") == std::string::npos && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(1ms);
    }
}

double system_calls(const Case& what, const Subject& subject, const std::vector<std::string>& command, int core,
                    const std::stop_token& stop) {
    return for_a_message([&](std::chrono::milliseconds measured) -> Counted {
        const Directory directory;
        const fs::path table = directory.path() / "table";
        const double done =
            messages(what, subject, under({find_program("strace"), "-f", "-c", "-o", table, "--"}, command), core,
                     measured, stop, [&](const Server& strace) { end_and_await(strace, table); });
        return {done, {calls_in(text_of(table))}};
    })[0];
}

Callgrind own_work(const Case& what, const Subject& subject, const std::vector<std::string>& command, int core,
                   const std::stop_token& stop) {
    const auto each = for_a_message([&](std::chrono::milliseconds measured) -> Counted {
        const Directory directory;
        const std::string out = directory.path().string() + "/";
        const double done = messages(
            what, subject,
            under({find_program("valgrind"), "--tool=callgrind", "--trace-children=yes", "--quiet", "--fair-sched=yes",
                   "--log-file=" + out + "log.%p", "--callgrind-out-file=" + out + "out.%p"},
                  command),
            core, measured, stop, [](const Server&) {});
        Callgrind sum;
        for (const auto& entry : fs::directory_iterator(directory.path())) {
            if (!entry.path().filename().string().starts_with("out.")) continue;
            const Callgrind one = read_callgrind(text_of(entry.path()));
            sum.instructions += one.instructions;
            sum.allocations += one.allocations;
        }
        return {done, {sum.instructions, sum.allocations}};
    });
    return {each[0], each[1]};
}

}  // namespace

double calls_in(const std::string& table) {
    double sum = 0;
    std::istringstream lines(table);
    for (std::string line; std::getline(lines, line);) {
        // % time, seconds, usecs/call, calls, perhaps errors, and the call's name.
        std::istringstream fields(line);
        double percent, seconds, each, calls;
        if (fields >> percent >> seconds >> each >> calls && !line.ends_with(" total")) sum += calls;
    }
    return sum;
}

Callgrind read_callgrind(const std::string& file) {
    Callgrind found;
    std::map<std::string, std::string> names;  // a name stands behind its number once, and the number alone later
    std::string called;
    std::istringstream lines(file);
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (line.starts_with("totals: ")) found.instructions = number_in(std::string_view(line).substr(8));
        if (line.starts_with("fn=") || line.starts_with("cfn=")) {
            const auto blank = line.find(' ');
            const std::string number = line.substr(equals + 1, blank == line.npos ? line.npos : blank - equals - 1);
            if (blank != line.npos) names[number] = line.substr(blank + 1);
            if (line.starts_with('c')) called = names[number];
        }
        if (line.starts_with("calls=") && called == "malloc") {
            found.allocations += number_in(std::string_view(line).substr(equals + 1));
        }
    }
    return found;
}

std::optional<Counts> count(const Case& what, const Subject& subject, const std::vector<std::string>& command,
                            int server_core, const std::stop_token& stop) {
    const bool has_strace = !find_program("strace").empty(), has_valgrind = !find_program("valgrind").empty();
    if (!has_strace && !has_valgrind) return {};
    Counts counts;
    if (has_strace) counts.system_calls = system_calls(what, subject, command, server_core, stop);
    if (has_valgrind) {
        try {
            const Callgrind each = own_work(what, subject, command, server_core, stop);
            counts.instructions = each.instructions;
            counts.allocations = each.allocations;
        } catch (const Interrupted&) {
            throw;
        } catch (const std::runtime_error&) {
            // Valgrind does not know each system call: an older one refuses the pidfd_open(2) that a supervisor needs.
        }
    }
    return counts;
}

}  // namespace bench
