#pragma once

#include "05_chat/base/notify.hpp"
#include "05_chat/engine/etcd/http_parser.hpp"
#include "05_chat/engine/etcd/stream.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chat::etcd {

struct HttpAnswer {
    unsigned status = 0;  // 200
    std::string body;
};

/// A connection to one member: one request at a time. Every call is ended by close(), and says why then. The loop's
/// thread only.
class Connection {
public:
    /// `tls` outlives it; null: plain. `url` is the member's.
    Connection(const net::Executor& executor, EtcdUrl url, Tls* tls);

    /// Asks who is called so, connects, and greets. No longer than that, also where names are answered slowly.
    net::awaitable<result<void, Why>> connect(std::chrono::milliseconds within);

    /// One question and its whole answer.
    net::awaitable<result<HttpAnswer, Why>> post(std::string target, std::string body);

    /// A question whose answer comes line by line, without an end. The answer's status; where that is not 200, all of
    /// it.
    net::awaitable<result<HttpAnswer, Why>> open_stream(std::string target, std::string body);
    /// The next line; nothing: no line follows.
    net::awaitable<result<std::optional<std::string>, Why>> next_line();

    /// Whether it can be asked again.
    bool is_reusable() const { return is_reusable_; }
    const EtcdUrl& url() const { return url_; }

    /// Whatever waits here ends soon, for this reason. The first reason counts.
    void close(std::string_view why);

private:
    net::awaitable<result<std::vector<net::tcp::endpoint>, Why>> resolve();
    net::awaitable<result<void, Why>> ask(std::string target, std::string body, HttpParser::Body answer);
    net::awaitable<result<void, Why>> read_more();
    Why why(Why of_the_system) const;

    net::Executor executor_;
    EtcdUrl url_;
    Tls* tls_;
    net::TcpSocket connecting_;         // until it becomes stream_
    std::shared_ptr<Notify> resolved_;  // kept by the resolver, too: it may answer when nobody waits any more
    std::unique_ptr<Stream> stream_;
    std::unique_ptr<HttpParser> parser_;  // of the answer under way
    std::vector<char> buffer_;
    std::string why_closed_;
    bool is_reusable_ = false;
};

}  // namespace chat::etcd
