#include "05_chat/engine/etcd/process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace chat::etcd {

namespace {

/// What process ids here are worth only together with; ends in '/'.
std::string here() {
    std::string boot;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
    std::error_code wrong;
    const auto space = std::filesystem::read_symlink("/proc/self/ns/pid", wrong);
    return boot.empty() || wrong ? std::string() : boot + '/' + space.string() + '/';
}

}  // namespace

std::string this_process() {
    const std::string place = here();
    return place.empty() ? place : place + std::to_string(::getpid());
}

bool has_ended(std::string_view process) {
    const std::string place = here();
    if (place.empty() || !process.starts_with(place)) return false;
    const long pid = std::strtol(std::string(process.substr(place.size())).c_str(), nullptr, 10);
    return pid > 0 && ::kill(static_cast<pid_t>(pid), 0) == -1 && errno == ESRCH;
}

}  // namespace chat::etcd
