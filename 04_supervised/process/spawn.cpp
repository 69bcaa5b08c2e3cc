#include "04_supervised/process/spawn.hpp"

#include <csignal>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace process {

namespace {

constexpr int first_given = 3;

void check(int error, const std::string& what) {
    if (error != 0) throw std::system_error(error, std::system_category(), what);
}

struct FileActions {
    FileActions() { check(::posix_spawn_file_actions_init(&actions), "posix_spawn_file_actions_init"); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;
    ~FileActions() { ::posix_spawn_file_actions_destroy(&actions); }
    posix_spawn_file_actions_t actions;
};

struct Attributes {
    Attributes() {
        check(::posix_spawnattr_init(&attributes), "posix_spawnattr_init");
        sigset_t all, blocked;
        sigfillset(&all);
        sigemptyset(&blocked);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&blocked, signal);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawnattr_setsigmask(&attributes, &blocked);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    ~Attributes() { ::posix_spawnattr_destroy(&attributes); }
    posix_spawnattr_t attributes;
};

/// By its number: glibc 2.36 declares pidfd_open without extern "C".
Descriptor open_pidfd(pid_t pid) {
    const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (descriptor >= 0) return Descriptor(descriptor);
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw std::system_error(error, std::system_category(), "pidfd_open");
}

}  // namespace

Spawned spawn(const std::string& program, const std::vector<std::string>& arguments,
              const std::vector<int>& descriptors) {
    // The copies lie above all the numbers that are given: dup2 onto one that is still to be copied would lose it, and
    // dup2(n, n) would leave n to be closed on exec.
    const int above_all_given = first_given + static_cast<int>(descriptors.size());
    std::vector<Descriptor> copies;
    FileActions files;
    int number = first_given;
    for (const int descriptor : descriptors) {
        copies.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, above_all_given));
        if (copies.back().get() < 0) check(errno, "dup");
        check(::posix_spawn_file_actions_adddup2(&files.actions, copies.back().get(), number++), "adddup2");
    }
    check(::posix_spawn_file_actions_addclosefrom_np(&files.actions, number), "addclosefrom");

    const Attributes attributes;
    std::vector<char*> words;
    for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    pid_t pid = -1;
    check(::posix_spawn(&pid, program.c_str(), &files.actions, &attributes.attributes, words.data(), environ), program);
    return {pid, open_pidfd(pid)};
}

std::string signal_name(int number) {
    return "SIG" + std::string(::sigabbrev_np(number));
}

}  // namespace process
