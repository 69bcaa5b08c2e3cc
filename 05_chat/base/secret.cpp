#include "05_chat/base/secret.hpp"

#include <boost/uuid/detail/md5.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chat {

namespace {

// A descriptor that is closed at the end.
struct File {
    int descriptor;
    ~File() {
        if (descriptor >= 0) ::close(descriptor);
    }
};

}  // namespace

Digest digest(std::string_view secret, std::string_view challenge) {
    boost::uuids::detail::md5 hash;
    hash.process_bytes(secret.data(), secret.size());
    hash.process_bytes(challenge.data(), challenge.size());
    boost::uuids::detail::md5::digest_type parts;
    hash.get_digest(parts);
    // Up to Boost 1.85 these are four words whose most significant bytes come first. Since then they are sixteen bytes.
    constexpr std::size_t width = sizeof(parts[0]);
    Digest result;
    static_assert(sizeof(parts) == sizeof(result));
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = static_cast<unsigned char>(parts[i / width] >> (8 * (width - 1 - i % width)) & 0xFF);
    }
    return result;
}

bool same(std::string_view one, std::string_view other) {
    if (other.size() != one.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < one.size(); ++i) difference |= static_cast<unsigned char>(one[i] ^ other[i]);
    return difference == 0;
}

std::uint64_t random_number() {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) std::abort();  // never for so few bytes (getrandom(2))
    return number;
}

result<std::string, Why> read_secret(const std::string& path, std::string_view what) {
    const auto cannot_read = [&path](std::string_view why) {
        return because("cannot read " + path + ": " + std::string(why));
    };
    // Without O_NONBLOCK, open() would wait for a pipe that nobody writes to.
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat status{};
    if (file.descriptor < 0 || ::fstat(file.descriptor, &status) != 0) {
        return cannot_read(std::strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) return cannot_read("it is no file");
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return because(path + " must be accessible by its owner only: chmod 400 " + path);
    }
    std::array<char, max_secret + 2> bytes{};  // two more: a line end, or one byte too many
    const ssize_t size = ::read(file.descriptor, bytes.data(), bytes.size());
    if (size < 0) return cannot_read(std::strerror(errno));
    std::string text(bytes.data(), static_cast<std::size_t>(size));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (text.empty()) return because(path + " holds no " + std::string(what));
    if (text.size() > max_secret) {
        return because(path + " is too long for a " + std::string(what) + ": " + std::to_string(max_secret) +
                       " bytes are allowed");
    }
    return text;
}

}  // namespace chat
