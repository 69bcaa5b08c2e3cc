#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace net {

/// Memory that nobody has to clear.
struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
};

/// How many blocks a thread keeps for the buffers that will need some, and how large each of them may be, in bytes.
inline constexpr std::size_t max_kept_blocks = 8;
inline constexpr std::size_t max_kept_size = 256 * 1024;

/// Bytes on their way: added behind, taken from the front. Pure; one thread at a time for each object.
///
/// What bytes() and space() return is valid until the next space(), append() or give_back(); consume() leaves it where
/// it is. A buffer borrows its memory from the thread, and give_back() gives it back: few connections have something
/// under way at any moment, and what one of them has just used is still in the processor's cache for the next.
class Buffer {
public:
    bool empty() const { return begin_ == end_; }
    std::string_view bytes() const { return {block_.bytes.get() + begin_, end_ - begin_}; }

    /// Room for `size` bytes more, which count as soon as filled() says how many have come.
    std::span<char> space(std::size_t size) {
        if (block_.size - end_ < size) make_room(size);
        return {block_.bytes.get() + end_, size};
    }
    void filled(std::size_t size) { end_ += size; }

    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        std::memcpy(space(bytes.size()).data(), bytes.data(), bytes.size());
        filled(bytes.size());
    }

    /// Takes `size` bytes from the front.
    void consume(std::size_t size) { begin_ += size; }

    /// Before a wait without end: gives the block back. Bytes that are left move to memory of exactly their size; but
    /// those in a block that is too large to be kept stay there, or a long packet would be moved with each of its
    /// parts.
    void give_back();

private:
    void make_room(std::size_t size);

    Block block_;  // of which the bytes from begin_ to end_ are in use
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace net
