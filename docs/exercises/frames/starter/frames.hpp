#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>

/// Before each frame: its length without the header, 4 bytes, the most significant first.
inline constexpr std::size_t header_size = 4;

/// Takes the first frame, without its header, off `stream`, which holds what has been read and not taken yet. Nothing
/// when it is not whole yet: then `stream` stays as it is, and the next read is appended.
/// Throws std::length_error when the header says more than `max_frame` bytes.
inline std::optional<std::string> take_frame(std::string& stream, [[maybe_unused]] std::size_t max_frame) {
    // Here: this believes that one read is one frame.
    if (stream.size() < header_size) return std::nullopt;
    std::string frame = stream.substr(header_size);
    stream.clear();
    return frame;
}
