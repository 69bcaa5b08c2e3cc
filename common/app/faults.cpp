#include "app/faults.hpp"

#include "app/story.hpp"

#include <charconv>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>

namespace app::faults {

namespace {

std::mutex place_mutex;
std::string place;  // where throw_in() is to throw next; empty: nowhere

/// The number after `command`, where it is one of at most `max`.
std::optional<unsigned> number_after(std::string_view packet, std::string_view command, unsigned max) {
    if (!packet.starts_with(command)) return std::nullopt;
    packet.remove_prefix(command.size());
    unsigned number = 0;
    const auto [end, error] = std::from_chars(packet.data(), packet.data() + packet.size(), number);
    if (error != std::errc() || end != packet.data() + packet.size() || number > max) return std::nullopt;
    return number;
}

/// By the signal under UBSan too, which would otherwise report the null pointer and abort.
[[noreturn]] __attribute__((no_sanitize("undefined"))) void crash_with_segv() {
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
    std::abort();
}

/// Calls itself until the stack is used up. Volatile, so that no compiler makes a loop of it.
int overflow(int depth) {
    volatile char frame[1024] = {static_cast<char>(depth)};
    return depth < 0 ? 0 : overflow(depth + 1) + frame[0];
}

void spin() {
    // Volatile, because a compiler may take a loop that does nothing away.
    volatile bool for_ever = true;
    while (for_ever) {
    }
}

void leak(std::size_t bytes) {
    // Every page is written to: memory that was only asked for costs nothing. Volatile, because a compiler may take
    // away what nobody ever reads.
    constexpr std::size_t page = 4096;
    auto* const lost = static_cast<volatile char*>(std::malloc(bytes));
    for (std::size_t i = 0; lost != nullptr && i < bytes; i += page) lost[i] = 1;
}

}  // namespace

void switch_on() {
    are_on = true;
}

void obey_command(std::string_view packet) {
    while (packet.ends_with('\n') || packet.ends_with('\r')) packet.remove_suffix(1);
    story::Batch::write();  // its last words, perhaps
    if (packet == "!throw") throw Fault("!throw");
    if (packet.starts_with("!throw ")) {
        const std::lock_guard lock(place_mutex);
        place = packet.substr(7);
    }
    if (packet == "!abort") std::abort();
    if (packet == "!segv") crash_with_segv();
    if (packet == "!overflow") overflow(0);
    if (packet == "!spin") spin();
    if (const auto mebibytes = number_after(packet, "!leak ", max_leak_mib)) leak(std::size_t{*mebibytes} << 20);
    // Not exit(): its destructors would run while other threads still use what they destroy.
    if (const auto code = number_after(packet, "!exit ", 255)) std::_Exit(static_cast<int>(*code));
}

void throw_in(std::string_view here) {
    if (!are_on) return;
    const std::lock_guard lock(place_mutex);
    if (place != here) return;
    place.clear();
    throw Fault("!throw " + std::string(here));
}

}  // namespace app::faults
