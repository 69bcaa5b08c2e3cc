// Wrong: the header is taken off before it is known that the frame is whole; the next call finds none.
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
inline std::optional<std::string> take_frame(std::string& stream, std::size_t max_frame) {
    if (stream.size() < header_size) return std::nullopt;
    std::size_t size = 0;
    for (std::size_t i = 0; i < header_size; ++i) size = size << 8 | static_cast<unsigned char>(stream[i]);
    // Before waiting for the rest: there may never be one, and until then it would pile up.
    if (size > max_frame) throw std::length_error("a frame of " + std::to_string(size) + " bytes");
    stream.erase(0, header_size);
    if (stream.size() < size) return std::nullopt;
    std::string frame = stream.substr(0, size);
    stream.erase(0, size);
    return frame;
}
