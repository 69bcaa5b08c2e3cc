#pragma once

#include <stdexcept>
#include <string_view>

/// Breaking a server by typing (--faults): the same command meets a different fate in each stage, which is the lesson.
namespace app::faults {

/// What `!throw`, or throw_in(), throws.
struct Fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The commands, for messages.
inline constexpr std::string_view commands = "!throw !abort !segv !spin !leak N !exit N !overflow";

/// From now on packets are obeyed. Before the first thread starts.
void switch_on();
/// Whether they are: asked for each packet, so in sight of the caller's compiler.
inline bool are_on = false;

/// Does what `packet` (a line ending after it is ignored) commands, in the calling thread:
/// `!throw` throws Fault; `!throw PLACE` lets throw_in(PLACE) throw, once, where a stage has such a place; `!abort`,
/// `!segv`, `!overflow` (of the stack) and `!exit N` (0 to 255) end the process;
/// `!spin` never returns; `!leak N` takes N MiB (at most `max_leak_mib` at once) and never gives them back.
/// Everything else, and everything while faults are off, is left alone.
void obey_command(std::string_view packet);
inline bool may_be_command(std::string_view packet) {
    return are_on && packet.starts_with('!');
}
inline void obey(std::string_view packet) {
    if (may_be_command(packet)) obey_command(packet);
}

/// The place where something else than the commander's own session can break: throws Fault when `!throw PLACE` was
/// obeyed since the last time. Any thread.
void throw_in(std::string_view here);

inline constexpr unsigned max_leak_mib = 4096;

}  // namespace app::faults
