#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace observer {

/// Whether this child of a root is a worker.
inline bool is_process(std::string_view id) {
    return id.starts_with("worker-");
}

/// `worker-2`: 2; 0 where it is no worker.
inline std::uint64_t process_of(std::string_view id) {
    if (!is_process(id)) return 0;
    std::uint64_t number = 0;
    id.remove_prefix(std::string_view("worker-").size());
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    return error == std::errc() && end == id.data() + id.size() ? number : 0;
}

inline std::string worker_id(std::uint64_t process) {
    return "worker-" + std::to_string(process);
}

}  // namespace observer
