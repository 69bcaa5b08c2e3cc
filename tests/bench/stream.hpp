#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// The bytes one side of a connection must carry: message after message, without end, each of the same size.
///
/// A message tells which connection it belongs to and which it is in its first `tag_size` bytes, and goes on with a
/// slice of random text that begins elsewhere for each message. So bytes that are dropped, changed, doubled, swapped or
/// delivered to somebody else do not match what belongs at their position. Nothing is stored: every byte follows from
/// connection and position.
///
/// Const and without side effects: any thread.
class Stream {
public:
    static constexpr std::size_t tag_size = 8;  ///< 24 bits of connection, 24 of message; the count then wraps
    static constexpr std::size_t max_size = 1024 * 1024;  ///< the largest message

    /// Messages of `size` bytes (tag_size < size <= max_size), `prefix` not counted. Lines are printable and end in
    /// "\n", otherwise any byte occurs.
    Stream(std::string prefix, std::size_t size, bool lines);

    /// The connection that a message's first tag_size bytes name.
    static std::uint32_t connection(std::string_view message);

    /// Bytes of one message, prefix included.
    std::size_t message_size() const { return prefix_.size() + size_; }

    /// Writes the `length` bytes of the connection's stream from `position` on.
    void write(std::uint32_t connection, std::uint64_t position, std::size_t length, char* to) const;

    /// How many of `bytes`, found at `position`, are right before the first that is not: bytes.size() if all are.
    std::size_t matching(std::uint32_t connection, std::uint64_t position, std::string_view bytes) const;

private:
    template <typename Use>
    void each_piece(std::uint32_t connection, std::uint64_t position, std::size_t length, Use use) const;

    std::string prefix_;
    std::size_t size_;
    bool lines_;
    std::string text_;  // random; a message's slice starts in its first text_starts bytes
};

}  // namespace bench
