#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Numbers as networks write them: the most significant byte first. Pure; any thread.
namespace chat {

/// Appends `number` to `out` in sizeof(Number) bytes.
template <std::unsigned_integral Number>
void put(std::string& out, Number number) {
    for (std::size_t i = sizeof(Number); i-- > 0;) out.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
}

/// Reads numbers and bytes off the front of a message. A read past the end gives zero (or no bytes), and from then on
/// the reader is not ok(). So a caller may read a whole message, and ask once at the end whether all of it was there.
class ByteReader {
public:
    /// `bytes` stay the caller's. They must outlive the reader and every view that it gives.
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

    std::uint8_t u8() { return number<std::uint8_t>(); }
    std::uint16_t u16() { return number<std::uint16_t>(); }
    std::uint32_t u32() { return number<std::uint32_t>(); }
    std::uint64_t u64() { return number<std::uint64_t>(); }

    std::string_view bytes(std::size_t count) {
        if (!ok_ || rest_.size() < count) {
            ok_ = false;
            return {};
        }
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    /// Every byte that is left, taken.
    std::string_view rest() { return bytes(rest_.size()); }
    /// How many bytes are left.
    std::size_t size() const { return rest_.size(); }
    /// Every read so far found what it asked for.
    bool ok() const { return ok_; }
    /// So it did, and nothing is left over.
    bool finished() const { return ok_ && rest_.empty(); }

private:
    template <std::unsigned_integral Number>
    Number number() {
        std::uint64_t value = 0;
        for (const char byte : bytes(sizeof(Number))) value = value << 8 | static_cast<unsigned char>(byte);
        return static_cast<Number>(value);
    }

    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace chat
