#include "profile.hpp"

#include "measure.hpp"
#include "process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace bench {

using namespace std::chrono_literals;

namespace {

constexpr auto watched = 5s;
constexpr auto warm_up = 300ms;
constexpr int lines_shown = 60;

// A program whose output goes to a file. Ended when it is destroyed.
class Child {
public:
    Child(const std::vector<std::string>& command, const std::string& output) {
        std::vector<char*> arguments;
        for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        pid_ = fork();
        if (pid_ != 0) return;
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        if (std::freopen(output.c_str(), "w", stdout) == nullptr || dup2(STDOUT_FILENO, STDERR_FILENO) < 0) _exit(127);
        execv(arguments[0], arguments.data());
        _exit(127);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ > 0) stop(SIGKILL);
    }

    bool has_ended() const {
        siginfo_t info{};
        return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
    }
    bool succeeds() {
        int status = 0;
        waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    void stop(int signal) {
        kill(pid_, signal);
        waitpid(std::exchange(pid_, -1), nullptr, 0);
    }

private:
    pid_t pid_;
};

// As perf takes them: 12,13,14.
std::string all_of(pid_t pid) {
    std::string list;
    for (const pid_t member : family(pid)) list += (list.empty() ? "" : ",") + std::to_string(member);
    return list;
}

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

}  // namespace

void profile(const Subject& subject, const Case& what, int server_core, const std::string& data, std::stop_token stop) {
    const std::string perf = find_program("perf");
    if (perf.empty()) throw std::runtime_error("there is no perf here: on Debian it is in the package linux-perf");
    std::vector<std::string> command = subject.command;
    command[0] = find_program(command[0]);
    if (command[0].empty()) throw std::runtime_error(subject.command[0] + " is not built");
    command.insert(command.end(), {"--port", "0"});
    if (what.plan.kind != Kind::chat) command.insert(command.end(), {"--packet", what.plan.lines ? "line" : "raw"});
    const Server server(command, server_core);

    const std::string said = data + ".txt";
    std::cout << subject.name << " under " << what.group << " " << what.label << ", for "
              << std::chrono::seconds(watched).count() << " s" << std::endl;
    Child record({perf, "record", "--quiet", "-g", "-F", "999", "-p", all_of(server.pid()), "-o", data}, said);
    Plan plan = plan_for(what, subject);
    plan.port = server.port();
    plan.server = server.pid();
    plan.warm_up = warm_up;
    plan.measured = watched;
    run(plan, stop);
    const auto why = lines_of(said);
    if (record.has_ended()) {
        throw std::runtime_error("perf cannot look into it: " + (why.empty() ? "no reason given" : why.front()) +
                                 " (see /proc/sys/kernel/perf_event_paranoid)");
    }
    record.stop(SIGINT);

    Child report({perf, "report", "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.5", "-i", data},
                 said);
    if (!report.succeeds()) throw std::runtime_error("perf report failed: see " + said);
    int shown = 0;
    for (const std::string& line : lines_of(said)) {
        if (line.empty() || line.starts_with('#')) continue;
        if (++shown <= lines_shown) std::cout << line << '\n';
    }
    std::filesystem::remove(said);
    std::cout << "\nWho calls whom: perf report -i " << data << "; how to read it: docs/profiling.md\n";
}

}  // namespace bench
