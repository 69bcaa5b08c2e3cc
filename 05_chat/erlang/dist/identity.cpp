#include "05_chat/erlang/dist/identity.hpp"

#include "05_chat/base/secret.hpp"
#include "05_chat/erlang/dist/epmd.hpp"

#include <boost/asio.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace erlang {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using chat::because;
using chat::result;
using chat::Why;

std::string short_host_name() {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    const std::string full = name.data();
    return full.substr(0, full.find('.'));
}

std::set<asio::ip::address> addresses_of(const std::string& host) {
    asio::io_context loop;
    boost::system::error_code unknown;
    std::set<asio::ip::address> addresses;
    for (const auto& entry : tcp::resolver(loop).resolve(host, "", unknown))
        addresses.insert(entry.endpoint().address());
    return addresses;
}

// A descriptor that is closed at the end.
struct File {
    int descriptor;
    ~File() {
        if (descriptor >= 0) ::close(descriptor);
    }
};

// As Erlang does when a user starts their first node.
result<std::string, Why> make_cookie(const std::string& path) {
    constexpr std::size_t length = 20;
    std::string cookie;
    for (std::size_t i = 0; i < length; ++i) cookie += static_cast<char>('A' + random_number() % 26);
    const File file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR)};
    if (file.descriptor < 0 || ::write(file.descriptor, cookie.data(), length) != static_cast<ssize_t>(length)) {
        return because("cannot make " + path + ": " + std::strerror(errno));
    }
    return cookie;
}

}  // namespace

std::string full_node_name(const std::string& sname, const std::string& dist_host) {
    if (sname.find('@') != sname.npos) return sname;
    const std::string machine = short_host_name();
    const auto listening = addresses_of(dist_host);
    const auto found = addresses_of(machine);
    const bool loopback_only =
        !listening.empty() &&
        std::all_of(listening.begin(), listening.end(), [](const auto& address) { return address.is_loopback(); });
    // Elixir's first try is the first address of the name.
    const bool leads_here =
        std::any_of(found.begin(), found.end(), [&](const auto& one) { return listening.contains(one); });
    return sname + "@" + (loopback_only && !leads_here ? "localhost" : machine);
}

std::string passing_node_name(const std::string& prefix) {
    std::array<char, 9> number{};
    std::snprintf(number.data(), number.size(), "%08x", random_number());
    return prefix + "_" + number.data() + "@localhost";
}

result<std::string, Why> read_cookie() {
    const char* home = std::getenv("HOME");
    if (home == nullptr) return because("HOME is not set, so there is no ~/.erlang.cookie; use --cookie");
    const std::string path = std::string(home) + "/.erlang.cookie";
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return make_cookie(path);
    return chat::read_secret(path, "cookie");
}

std::uint32_t random_number() {
    return static_cast<std::uint32_t>(chat::random_number());
}

std::uint16_t epmd_port() {
    const char* text = std::getenv("ERL_EPMD_PORT");
    const long port = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
    return port > 0 && port <= 65535 ? static_cast<std::uint16_t>(port) : epmd::default_port;
}

}  // namespace erlang
