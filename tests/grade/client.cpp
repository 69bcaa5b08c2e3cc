#include "grade/client.hpp"

#include "grade/bytes.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace grade {

namespace {

constexpr std::size_t max_received = 4 << 20;  // untaken, of one client: whoever sends more floods
constexpr std::size_t max_writes_shown = 4;
constexpr std::size_t max_write_shown = 60;
constexpr std::size_t max_line = 1 << 20;
constexpr milliseconds asked_again{1200};  // whoever finds the queue full asks again after a second
constexpr std::size_t helpful = 200;       // bytes that are waited for behind a wrong one: they help to understand it

std::string reason(int error) {
    if (error == ECONNRESET) return "the server reset the connection";
    if (error == EPIPE) return "the server had closed the connection";
    return "the connection broke: " + std::generic_category().message(error);
}

}  // namespace

Client::Client(Server& server) : Client(server, Options()) {}

Client::Client(Server& server, const Options& options)
    : server_(server), socket_(::socket(server.address()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    if (socket_.get() < 0) throw NotPossible("no more sockets here: " + std::generic_category().message(errno));
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Before connecting: the window that is announced then depends on it.
    for (const auto& [option, size] :
         {std::pair(SO_RCVBUF, options.receive_buffer), std::pair(SO_SNDBUF, options.send_buffer)}) {
        if (size > 0) ::setsockopt(socket_.get(), SOL_SOCKET, option, &size, sizeof size);
    }
    if (options.segment > 0) {
        ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_MAXSEG, &options.segment, sizeof options.segment);
    }
    int error = ::connect(socket_.get(), server.address(), server.address_size()) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        error = ETIMEDOUT;
        const auto within = options.within.count() > 0 ? options.within : std::max(server.most(), asked_again);
        socklen_t size = sizeof error;
        if (wait(POLLOUT, within)) {
            ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        } else {
            server.note_silence();
        }
    }
    if (error != 0) fail_to_connect(error);
    server.note_reached();
}

void Client::fail_to_connect(int error) {
    const std::string where = server_.host() + ":" + server_.port();
    const std::string why = std::generic_category().message(error);
    if (!server_.is_ours() && !server_.was_reached()) {
        throw CannotRun(error == ECONNREFUSED ? "nobody listens at " + where
                                              : "cannot connect to " + where + ": " + why);
    }
    std::string got = why;
    if (error == ETIMEDOUT) got = "nobody answered: the queue of listen() is full, and nobody accepts";
    if (error == ECONNREFUSED) {
        const auto elsewhere = server_.is_ours() ? server_.listened_at() : std::vector<std::string>();
        got = "it was refused: " + (elsewhere.empty() ? "nobody listens there any more"
                                                      : "the server listens at " + elsewhere[0] + ", but not there");
    }
    throw Wrong("a connection to " + where, got);
}

bool Client::was_ignored() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    return ::getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_total_retrans > 0;
}

/// Whether one of the events, or an error, came about in time.
bool Client::wait(short events, milliseconds within) {
    pollfd socket{socket_.get(), events, 0};
    return server_.wait({&socket, 1}, within) > 0;
}

/// Waits for what must come. A server that sleeps gets less time than one that works, and time in which nobody on this
/// machine got anywhere (we were to wake up, and did not) does not count.
bool Client::wait_for_reply(short events) {
    constexpr milliseconds slice{50};
    constexpr milliseconds late{25};
    const auto begin = Clock::now();
    auto left = server_.reply();
    milliseconds waited{0};
    while (!wait(events, slice)) {
        left -= slice;
        waited += slice;
        if (server_.is_ours() && !server_.is_running()) return wait(events, late);
        if (left.count() <= 0) {
            if (waited >= server_.most() || !server_.is_busy()) {
                server_.note_silence();
                return false;
            }
            left = server_.reply() / 3;
        } else if (left <= slice) {
            server_.is_busy();  // from here on its work counts
        }
    }
    server_.note_answer(std::chrono::duration_cast<milliseconds>(Clock::now() - begin));
    return true;
}

void Client::note_sent(std::string_view bytes) {
    if (++writes_ > max_writes_shown) sent_.erase(0, sent_.find(" + ") + 3);
    sent_ += (sent_.empty() ? "" : " + ") + in_quotes(bytes, max_write_shown);
}

void Client::fail(Wrong wrong) const {
    wrong.sent = (writes_ > max_writes_shown ? "… + " : "") + sent_;
    throw wrong;
}

/// For messages: what exchange() has had before the bytes that are shown.
std::string Client::after_what_agreed() const {
    return agreed_ == 0 ? "" : ", after " + count(agreed_, "byte") + " as they should be";
}

/// For messages: what came instead of what was awaited.
std::string Client::what_came() const {
    const std::string end = has_ended_ ? "the server closed the connection" : !broken_.empty() ? broken_ : "";
    if (received_.empty() && agreed_ > 0) {
        return (end.empty() ? "nothing more came" : end) + after_what_agreed();
    }
    if (received_.empty()) return end.empty() ? "nothing came" : end;
    return in_quotes(received_) + (end.empty() ? ", and then nothing" : ", and then " + end);
}

// ---- sending --------------------------------------------------------------------------------------------------------

std::size_t Client::send_some(std::string_view bytes) {
    const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EINTR) return 0;
    const std::string why = reason(errno);
    while (receive()) {  // what it said before
    }
    fail(Wrong("that the server reads on", (received_.empty() ? "" : in_quotes(received_) + ", and then ") + why));
}

Client& Client::send(std::string_view bytes) {
    note_sent(bytes);
    while (!bytes.empty()) {
        bytes.remove_prefix(send_some(bytes));
        if (!bytes.empty() && !wait_for_reply(POLLOUT)) {
            fail(Wrong("that the server reads all of it", "it left the last " + count(bytes.size(), "byte")));
        }
    }
    return *this;
}

bool Client::all_delivered() {
    constexpr milliseconds look_again{1};
    for (const auto deadline = Clock::now() + server_.reply(); Clock::now() < deadline;) {
        int left = 0;
        if (::ioctl(socket_.get(), SIOCOUTQ, &left) == 0 && left == 0) return true;
        server_.sleep(look_again);
    }
    return false;
}

std::optional<Client::ServerEnd> Client::server_end() const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    const unsigned port = ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);  // IPv6 has it there, too
    const auto server_port = static_cast<unsigned>(std::stoul(server_.port()));
    const auto port_of = [](const std::string& end) { return std::stoul(end.substr(end.rfind(':') + 1), nullptr, 16); };
    const std::string established = "01";
    for (const auto* const path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream sockets(path);
        std::string line;
        std::getline(sockets, line);  // the heading
        while (std::getline(sockets, line)) {
            std::istringstream fields(line);
            std::string number, local, remote, state, queues, skipped, inode;
            fields >> number >> local >> remote >> state >> queues;
            if (port_of(local) != server_port || port_of(remote) != port) continue;
            for (int i = 0; i < 4; ++i) fields >> skipped;
            fields >> inode;
            // The queues are what it has to send, and what it has to read.
            return ServerEnd{state == established, std::stoul(queues.substr(queues.find(':') + 1), nullptr, 16), inode};
        }
    }
    return {};
}

void Client::await_read() {
    constexpr milliseconds look_again{1};
    for (const auto deadline = Clock::now() + server_.reply(); Clock::now() < deadline;) {
        const auto end = server_end();
        if (!end) return server_.sleep(server_.patience().pause());
        if (end->unread == 0 && all_delivered()) return;
        server_.sleep(look_again);
    }
}

void Client::widen(int receive_buffer) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
}

bool Client::takes_more(milliseconds within) {
    return wait(POLLOUT, within);
}

// ---- receiving ------------------------------------------------------------------------------------------------------

/// With "ECHO " at the beginning of each line where the server says something of its own there.
std::string Client::in_right_words(std::string_view bytes) {
    const auto& own = server_.own_prefix();
    if (!own) return std::string(bytes);
    std::string right;
    for (const char byte : bytes) {
        if (!is_in_line_) {
            line_begin_ += byte;
            if (own->starts_with(line_begin_) && line_begin_ != *own) continue;
            is_in_line_ = true;
            const bool has_prefix = line_begin_.starts_with(*own);
            right += (has_prefix ? "ECHO " + line_begin_.substr(own->size()) : line_begin_);
            line_begin_.clear();
        } else {
            right += byte;
        }
        if (byte == '\n') is_in_line_ = false;
    }
    return right;
}

/// Takes over what can be read now. False when there is nothing, or can be nothing more.
bool Client::receive() {
    server_.time_limit().check();
    if (has_ended_ || !broken_.empty()) return false;
    std::array<char, 64 * 1024> bytes;
    const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (size > 0) {
        received_ += in_right_words({bytes.data(), static_cast<std::size_t>(size)});
        heard_ += static_cast<std::size_t>(size);
    }
    if (size == 0) has_ended_ = true;
    if (size < 0 && errno != EAGAIN && errno != EINTR) broken_ = reason(errno);
    if (received_.size() > max_received) fail(Wrong("answers", "a flood of more than 4 MiB: " + in_quotes(received_)));
    return size > 0;
}

void Client::expect(std::string_view bytes, const std::string& hint) {
    std::size_t compared = 0;
    for (;;) {
        const std::size_t common = std::min(bytes.size(), received_.size());
        while (compared < common && bytes[compared] == received_[compared]) ++compared;
        if (compared == bytes.size()) break;
        if (compared < common) {
            // What comes with the wrong byte helps to understand it.
            while (received_.size() < compared + helpful && wait(POLLIN, server_.patience().a_while()) && receive()) {
            }
            Wrong wrong = differing(bytes, received_, hint);
            wrong.got += after_what_agreed();
            fail(std::move(wrong));
        }
        if (receive()) continue;
        if (has_ended_ || !broken_.empty() || !wait_for_reply(POLLIN)) {
            Wrong wrong(in_quotes(bytes), what_came(), hint);
            if (!received_.empty() && bytes.size() > received_.size()) {
                wrong = differing(bytes, received_, hint);
                wrong.got += has_ended_         ? ", and then the server closed the connection"
                             : !broken_.empty() ? ", and then " + broken_
                                                : ", and then nothing more";
                wrong.got += after_what_agreed();
            }
            fail(std::move(wrong));
        }
    }
    received_.erase(0, bytes.size());
}

std::string Client::take(std::size_t size, const std::string& awaited) {
    while (received_.size() < size) {
        if (receive()) continue;
        if (has_ended() || !wait_for_reply(POLLIN)) fail(Wrong(awaited, what_came()));
    }
    std::string bytes = received_.substr(0, size);
    received_.erase(0, size);
    return bytes;
}

std::string Client::line(const std::string& awaited) {
    for (;;) {
        if (const auto end = received_.find('\n'); end != std::string::npos) {
            std::string line = received_.substr(0, end + 1);
            received_.erase(0, end + 1);
            return line;
        }
        if (received_.size() > max_line) fail(Wrong(awaited, "a line without an end: " + in_quotes(received_)));
        if (receive()) continue;
        if (has_ended_ || !broken_.empty() || !wait_for_reply(POLLIN)) fail(Wrong(awaited, what_came()));
    }
}

void Client::expect_end(const std::string& hint) {
    while (received_.empty() && !has_ended_ && broken_.empty()) {
        if (receive()) break;
        if (!has_ended_ && broken_.empty() && !wait_for_reply(POLLIN)) {
            fail(Wrong("that the server closes the connection", "it stays open", hint));
        }
    }
    if (!received_.empty()) {
        while (received_.size() < 200 && wait(POLLIN, server_.patience().a_while()) && receive()) {
        }
        fail(Wrong("nothing more, and that the server closes the connection", what_came(), hint));
    }
    if (!broken_.empty()) fail(Wrong("that the server closes the connection in order", broken_, hint));
}

void Client::expect_silence(const std::string& why, const std::string& hint) {
    if (!has_news(server_.patience().a_while())) return;
    while (received_.size() < 200 && wait(POLLIN, server_.patience().a_while()) && receive()) {
    }
    fail(Wrong("silence: " + why, what_came(), hint));
}

bool Client::has_news(milliseconds within) {
    if (received_.empty() && !has_ended_ && broken_.empty() && !receive() && wait(POLLIN, within)) receive();
    return !received_.empty() || has_ended_ || !broken_.empty();
}

bool Client::has_line() {
    while (receive()) {
    }
    return received_.find('\n') != received_.npos || has_ended();
}

std::string Client::rest(std::size_t max, const std::string& hint) {
    while (!has_ended_ && broken_.empty() && received_.size() < max) {
        if (!receive() && !has_ended_ && broken_.empty() && !wait_for_reply(POLLIN)) {
            fail(Wrong("that the server closes the connection",
                       received_.empty() ? "it stays open" : in_quotes(received_) + ", and it stays open", hint));
        }
    }
    return std::exchange(received_, "");
}

void Client::exchange(std::string_view bytes, std::string_view expected,
                      const std::function<std::size_t()>& next_size) {
    note_sent(bytes);
    std::string_view piece;
    while (!expected.empty() || !bytes.empty() || !piece.empty()) {
        if (piece.empty() && !bytes.empty()) {
            piece = bytes.substr(0, next_size());
            bytes.remove_prefix(piece.size());
        }
        if (!piece.empty()) piece.remove_prefix(send_some(piece));
        receive();
        // What has come and is right is done with; a difference is left for expect() to tell.
        const std::size_t came = std::min(received_.size(), expected.size());
        if (received_.compare(0, came, expected.substr(0, came)) != 0) return expect(expected);
        received_.erase(0, came);
        expected.remove_prefix(came);
        agreed_ += came;
        if (has_ended_ || !broken_.empty()) return expect(expected.empty() ? "more" : expected);
        const short sending = piece.empty() && bytes.empty() ? 0 : POLLOUT;
        const short receiving = expected.empty() ? 0 : POLLIN;  // the rest stays in the kernel's buffer, for later
        if ((sending | receiving) == 0) return;
        if (wait_for_reply(static_cast<short>(sending | receiving))) continue;
        if (!expected.empty()) return expect(expected);
        fail(
            Wrong("that the server reads all of it", "it left the last " + count(bytes.size() + piece.size(), "byte")));
    }
}

// ---- ending ---------------------------------------------------------------------------------------------------------

void Client::half_close() {
    ::shutdown(socket_.get(), SHUT_WR);
}

void Client::reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket_.close();
}

}  // namespace grade
