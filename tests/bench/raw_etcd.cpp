// The measuring stick for 05 on etcd, and the limit of what etcd lets anybody say: the room of raw_room, but every line
// goes through etcd before anybody hears it. One transaction is under way and carries all that has come meanwhile; a
// watch brings it back. It speaks with etcd's JSON gateway over two sockets, and gives up at the first thing that goes
// wrong.
#include "stick_room.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <CLI/CLI.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace bench::stick;

namespace {

constexpr std::size_t max_batch = 256 * 1024;  // bytes of one transaction: etcd takes 1.5 MiB
constexpr std::size_t max_requests = 500;      // of one transaction, as 05 has it

[[noreturn]] void give_up(std::string_view what, std::string_view seen = {}) {
    std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(seen.size()),
                 seen.data());
    std::exit(1);
}

// ---- base64, in which JSON carries bytes
// -----------------------------------------------------------------------------

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto values = [] {
    std::array<unsigned char, 256> of{};
    for (std::size_t i = 0; i < digits.size(); ++i)
        of[static_cast<unsigned char>(digits[i])] = static_cast<unsigned char>(i);
    return of;
}();

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned three = 0;
        for (std::size_t j = i; j < i + 3; ++j) {
            three = three << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0);
        }
        for (unsigned shift = 24; shift > 0; shift -= 6) text += digits[three >> (shift - 6) & 63];
    }
    for (std::size_t i = 0; i < (3 - bytes.size() % 3) % 3; ++i) text[text.size() - 1 - i] = '=';
    return text;
}

std::string from_base64(std::string_view text) {
    std::string bytes(text.size() / 4 * 3, '\0');
    std::size_t size = 0;
    for (std::size_t i = 0; i + 4 <= text.size(); i += 4) {
        unsigned three = 0;
        for (std::size_t j = i; j < i + 4; ++j) three = three << 6 | values[static_cast<unsigned char>(text[j])];
        for (const unsigned shift : {16u, 8u, 0u}) bytes[size++] = static_cast<char>(three >> shift & 255);
    }
    while (text.ends_with('=')) {
        text.remove_suffix(1);
        --size;
    }
    bytes.resize(size);
    return bytes;
}

// ---- as much of HTTP as etcd's answers need
// --------------------------------------------------------------------------

class Connection {
public:
    explicit Connection(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("cannot connect to etcd");
        const int on = 1;
        setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    int fd() const { return fd_; }

    void post(std::string_view path, std::string_view body) {
        out_.assign("POST ").append(path).append(" HTTP/1.1\r\nHost: etcd\r\nContent-Length: ");
        out_.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
        for (std::string_view rest = out_; !rest.empty();) {
            const ssize_t taken = send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (taken <= 0) give_up("etcd has gone");
            rest.remove_prefix(static_cast<std::size_t>(taken));
        }
    }
    // Appends what there is to `in`; waits for something only where `flags` do not say otherwise.
    void receive(int flags) {
        const ssize_t got = recv(fd_, buffer_.data(), buffer_.size(), flags);
        if (got > 0) in.append(buffer_.data(), static_cast<std::size_t>(got));
        if (got == 0 || (got < 0 && errno != EAGAIN)) give_up("etcd has gone", in);
    }
    // The body of a whole answer with a known length; nothing as long as some of it is missing.
    bool take_answer(std::string& body) {
        const auto head = in.find("\r\n\r\n");
        if (head == in.npos) return false;
        const std::size_t length = number_after("Content-Length: ", head, 10);
        if (in.size() < head + 4 + length) return false;
        body = in.substr(head + 4, length);
        if (!in.starts_with("HTTP/1.1 200")) give_up("etcd refuses", body);
        in.erase(0, head + 4 + length);
        return true;
    }
    // What has come of an answer in chunks, without their frames.
    void take_chunks(std::string& text) {
        if (!has_head_) {
            const auto head = in.find("\r\n\r\n");
            if (head == in.npos) return;
            if (!in.starts_with("HTTP/1.1 200")) give_up("etcd refuses", in);
            in.erase(0, head + 4);
            has_head_ = true;
        }
        std::size_t done = 0;
        for (;;) {
            const auto end = in.find("\r\n", done);
            if (end == in.npos) break;
            std::size_t length = 0;
            std::from_chars(in.data() + done, in.data() + end, length, 16);
            if (length == 0) give_up("etcd has ended the watch", text);
            if (in.size() < end + 2 + length + 2) break;
            text.append(in, end + 2, length);
            done = end + 2 + length + 2;
        }
        in.erase(0, done);
    }

    std::string in;

private:
    std::size_t number_after(std::string_view name, std::size_t before, int base) const {
        const auto at = in.find(name);
        std::size_t number = 0;
        if (at > before) give_up("an answer of etcd without a length", in);
        std::from_chars(in.data() + at + name.size(), in.data() + before, number, base);
        return number;
    }

    int fd_;
    std::string buffer_ = std::string(read_size, '\0');
    std::string out_;
    bool has_head_ = false;
};

// The string behind `name` in one JSON object, from `at` on, which goes behind it. Empty: there is none.
std::string_view string_after(std::string_view name, std::string_view json, std::size_t& at) {
    const auto found = json.find(name, at);
    if (found == json.npos) return {};
    const std::size_t begin = found + name.size();
    at = json.find('"', begin);
    return json.substr(begin, at - begin);
}

// ---- the room
// --------------------------------------------------------------------------------------------------------

class OrderedRoom : public Room {
public:
    OrderedRoom(int listener, std::uint16_t etcd, std::string_view prefix, std::string_view name)
        : Room(listener),
          transactions_(etcd),
          watch_(etcd),
          key_(to_base64(std::string(prefix) + "/" + std::string(name))) {
        const std::string from = std::string(prefix) + "/", to = std::string(prefix) + "0";  // '0' comes after '/'
        watch_.post("/v3/watch", R"({"create_request":{"key":")" + to_base64(from) + R"(","range_end":")" +
                                     to_base64(to) + R"("}})");
        while (come_.find("\"created\":true") == come_.npos) {
            watch_.receive(0);
            watch_.take_chunks(come_);
        }
        come_.clear();
        watch(EPOLL_CTL_ADD, transactions_.fd(), EPOLLIN);
        watch(EPOLL_CTL_ADD, watch_.fd(), EPOLLIN);
    }

private:
    struct Request {
        std::size_t size;  // of its bytes in the batch
        int joins = -1;    // whose join it is; -1: nobody's
        std::uint64_t number = 0;
        std::string name = {};
    };
    struct Batch {
        std::string bytes;  // as the members will hear them
        std::vector<Request> requests;
    };

    void asked_to_enter(Member& member, std::string_view name) override {
        const std::string line = std::string(name) + " has joined the room\r\n";
        waiting_.bytes += line;
        waiting_.requests.push_back({line.size(), member.fd, member.number, std::string(name)});
    }
    void asked_to_say(Member& member, std::string_view line) override {
        const std::size_t before = waiting_.bytes.size();
        say(member.name, line, waiting_.bytes);
        waiting_.requests.push_back({waiting_.bytes.size() - before});
    }

    void turned() override {
        if (is_under_way_ || waiting_.requests.empty()) return;
        Batch batch;
        std::size_t count = 0, size = 0;
        while (count < std::min(max_requests, waiting_.requests.size()) && size < max_batch) {
            size += waiting_.requests[count++].size;
        }
        if (count == waiting_.requests.size()) {
            std::swap(batch, waiting_);
        } else {
            const auto end = waiting_.requests.begin() + static_cast<std::ptrdiff_t>(count);
            batch.bytes = waiting_.bytes.substr(0, size);
            batch.requests.assign(std::make_move_iterator(waiting_.requests.begin()), std::make_move_iterator(end));
            waiting_.bytes.erase(0, size);
            waiting_.requests.erase(waiting_.requests.begin(), end);
        }
        // If this is the next version: somebody else with our name would be noticed.
        transactions_.post("/v3/kv/txn", R"({"compare":[{"key":")" + key_ +
                                             R"(","target":"VERSION","result":"EQUAL","version":")" +
                                             std::to_string(version_++) + R"("}],"success":[{"requestPut":{"key":")" +
                                             key_ + R"(","value":")" + to_base64(batch.bytes) + R"("}}]})");
        under_way_.push_back(std::move(batch));
        is_under_way_ = true;
    }

    void other_event(int fd) override {
        if (fd == transactions_.fd()) {
            transactions_.receive(MSG_DONTWAIT);
            std::string answer;
            if (!transactions_.take_answer(answer)) return;
            if (answer.find("\"succeeded\":true") == answer.npos) give_up("etcd did not do it", answer);
            is_under_way_ = false;
        } else {
            watch_.receive(MSG_DONTWAIT);
            watch_.take_chunks(come_);
            std::size_t done = 0;
            for (std::size_t end; (end = come_.find('\n', done)) != come_.npos; done = end + 1) {
                apply(std::string_view(come_).substr(done, end - done));
            }
            come_.erase(0, done);
        }
    }

    // All events of one message of the watch. Each of them is a batch, of ours or of somebody else's.
    void apply(std::string_view message) {
        if (message.find("\"events\"") == message.npos) give_up("etcd's watch says", message);
        for (std::size_t at = 0;;) {
            const std::string_view key = string_after("\"key\":\"", message, at);
            if (key.empty()) return;
            const std::string bytes = from_base64(string_after("\"value\":\"", message, at));
            if (key != key_) {
                append(bytes);
            } else {
                apply_own(bytes);
            }
        }
    }
    void apply_own(std::string_view bytes) {
        if (under_way_.empty() || bytes != under_way_.front().bytes) give_up("etcd brings what nobody has sent", bytes);
        for (const Request& request : under_way_.front().requests) {
            Member* const joiner = request.joins >= 0 ? find(request.joins, request.number) : nullptr;
            if (joiner != nullptr) {
                enter(*joiner, request.name);
            } else {
                append(bytes.substr(0, request.size));
            }
            bytes.remove_prefix(request.size);
        }
        under_way_.erase(under_way_.begin());
    }

    Connection transactions_, watch_;
    const std::string key_;  // in base64, as everything that etcd is told
    std::uint64_t version_ = 0;
    Batch waiting_;
    std::vector<Batch> under_way_;  // sent, and not come back; the answer may come before or after that
    bool is_under_way_ = false;     // no answer yet
    std::string come_;              // of the watch, not yet a whole line
};

}  // namespace

int main(int argc, char** argv) {
    CLI::App app;
    app.allow_extras();  // --port, which is read by the sticks' own code
    std::string etcd = "http://127.0.0.1:2379", prefix = "raw", name = "one";
    app.add_option("--etcd", etcd, "Only the first of several");
    app.add_option("--etcd-prefix", prefix);
    app.add_option("--node-name", name);
    CLI11_PARSE(app, argc, argv);
    std::vector<std::string> rest = app.remaining();
    std::vector<char*> arguments{argv[0]};
    for (std::string& word : rest) arguments.push_back(word.data());

    etcd = etcd.substr(0, etcd.find(','));
    std::uint16_t port = 0;
    std::from_chars(etcd.data() + etcd.rfind(':') + 1, etcd.data() + etcd.size(), port);
    const auto listening =
        start(static_cast<int>(arguments.size()), arguments.data(), "A chat room whose lines go through etcd");
    OrderedRoom(listening.socket, port, prefix, name).serve();
}
