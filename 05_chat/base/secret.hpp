#pragma once

#include "05_chat/base/why.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// A secret that two nodes know and nobody else. Each shows the other that it knows the secret, and sends it never.
/// Any thread.
namespace chat {

using Digest = std::array<unsigned char, 16>;

/// MD5 of the secret, followed by what the other side has just made up. Erlang's nodes send the same.
Digest digest(std::string_view secret, std::string_view challenge);
/// Takes as long for equal digests as for different ones: a stranger learns nothing from the time.
bool same(std::string_view one, std::string_view other);
/// The digest as it is sent. Valid as long as the digest.
inline std::string_view bytes_of(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}
inline bool same(const Digest& one, std::string_view other) {
    return same(bytes_of(one), other);
}

/// Unpredictable (the system's own source).
std::uint64_t random_number();

/// Bytes of a secret in a file.
inline constexpr std::size_t max_secret = 255;

/// The secret in a file that nobody but its owner may read or write, as with ~/.erlang.cookie: the file's bytes without
/// line ends behind them. The error says what to do. `what` it calls the secret: "secret", "cookie".
result<std::string, Why> read_secret(const std::string& path, std::string_view what = "secret");

}  // namespace chat
