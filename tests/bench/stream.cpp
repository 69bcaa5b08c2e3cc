#include "stream.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

namespace bench {

namespace {

constexpr std::uint64_t text_starts = 64 * 1024;  // a power of two

// Six bits a character, from '0' to 'o': printable, and nothing that telnet or a line protocol would obey.
constexpr char symbol(std::uint64_t bits) {
    return static_cast<char>('0' + (bits & 63));
}

std::array<char, Stream::tag_size> tag(std::uint64_t connection, std::uint64_t message) {
    std::array<char, Stream::tag_size> text;
    for (int i = 0; i < 4; ++i) {
        text[i] = symbol(connection >> 6 * (3 - i));
        text[4 + i] = symbol(message >> 6 * (3 - i));
    }
    return text;
}

std::string random_text(std::size_t size, bool printable) {
    std::mt19937_64 random(5);  // the same in every run, so that a failure can be repeated
    std::string text(size, '\0');
    for (char& c : text) c = printable ? symbol(random()) : static_cast<char>(random());
    return text;
}

}  // namespace

Stream::Stream(std::string prefix, std::size_t size, bool lines)
    : prefix_(std::move(prefix)), size_(size), lines_(lines), text_(random_text(text_starts + size, lines)) {}

std::uint32_t Stream::connection(std::string_view message) {
    std::uint32_t number = 0;
    for (const char c : message.substr(0, 4)) number = number << 6 | static_cast<std::uint32_t>(c - '0');
    return number;
}

// Calls `use` with each run of the stream's bytes between `position` and `position + length`; it says whether to go on.
template <typename Use>
void Stream::each_piece(std::uint32_t connection, std::uint64_t position, std::size_t length, Use use) const {
    std::uint64_t message = position / message_size();
    std::size_t skip = position % message_size();
    for (; length > 0; ++message, skip = 0) {
        const auto head = tag(connection, message);
        const std::uint64_t start = (connection * 40503ULL + message * 2654435761ULL) % text_starts;
        const std::size_t ending = lines_ ? 1 : 0;
        const std::string_view pieces[] = {
            prefix_, {head.data(), head.size()}, {text_.data() + start, size_ - tag_size - ending}, {"\n", ending}};
        for (std::string_view piece : pieces) {
            const std::size_t skipped = std::min(skip, piece.size());
            skip -= skipped;
            piece = piece.substr(skipped, length);
            length -= piece.size();
            if (!piece.empty() && !use(piece)) return;
        }
    }
}

void Stream::write(std::uint32_t connection, std::uint64_t position, std::size_t length, char* to) const {
    each_piece(connection, position, length, [&](std::string_view piece) {
        to = std::copy(piece.begin(), piece.end(), to);
        return true;
    });
}

std::size_t Stream::matching(std::uint32_t connection, std::uint64_t position, std::string_view bytes) const {
    std::size_t right = 0;
    each_piece(connection, position, bytes.size(), [&](std::string_view piece) {
        const char* const found = bytes.data() + right;
        const bool equal = std::memcmp(found, piece.data(), piece.size()) == 0;
        right += equal ? piece.size() : std::mismatch(piece.begin(), piece.end(), found).first - piece.begin();
        return equal;
    });
    return right;
}

}  // namespace bench
