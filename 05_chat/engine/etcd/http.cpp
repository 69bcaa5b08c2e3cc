#include "05_chat/engine/etcd/http.hpp"

#include "net/socket.hpp"

#include <boost/asio.hpp>

namespace chat::etcd {

namespace asio = boost::asio;

namespace {

constexpr std::size_t read_size = 64 * 1024;

}  // namespace

Connection::Connection(const net::Executor& executor, EtcdUrl url, Tls* tls)
    : executor_(executor),
      url_(std::move(url)),
      tls_(tls),
      connecting_(executor),
      resolved_(std::make_shared<Notify>(executor)),
      buffer_(read_size) {}

void Connection::close(std::string_view why) {
    if (why_closed_.empty()) why_closed_ = why;
    is_reusable_ = false;
    boost::system::error_code ignored;
    connecting_.close(ignored);
    resolved_->notify();
    if (stream_) stream_->close();
}

Why Connection::why(Why of_the_system) const {
    return why_closed_.empty() ? of_the_system : because(why_closed_);
}

/// The system's resolver cannot be stopped: it may go on when nobody waits for it any more.
net::awaitable<result<std::vector<net::tcp::endpoint>, Why>> Connection::resolve() {
    const auto& [host, port] = url_.address;
    std::vector<net::tcp::endpoint> found;
    boost::system::error_code no_number;
    const auto address = asio::ip::make_address(host, no_number);
    if (!no_number) {
        found.emplace_back(address, port);
        co_return found;
    }
    using Resolver = asio::ip::basic_resolver<net::tcp, net::Executor>;
    struct Resolving {
        explicit Resolving(const net::Executor& executor) : resolver(executor) {}
        Resolver resolver;
        std::optional<boost::system::error_code> error;
        Resolver::results_type results;
    };
    const auto resolving = std::make_shared<Resolving>(executor_);
    resolving->resolver.async_resolve(host, std::to_string(port),
                                      [resolving, resolved = resolved_](auto error, auto results) {
                                          resolving->error = error;
                                          resolving->results = std::move(results);
                                          resolved->notify();
                                      });
    while (!resolving->error && why_closed_.empty()) co_await resolved_->notified();
    if (!why_closed_.empty()) co_return because(why_closed_);
    if (*resolving->error) co_return because(net::reason(*resolving->error));
    for (const auto& entry : resolving->results) found.push_back(entry.endpoint());
    co_return found;
}

net::awaitable<result<void, Why>> Connection::connect(std::chrono::milliseconds within) {
    const Deadline deadline(executor_, within, [this] { close("it does not answer"); });
    const auto endpoints = co_await resolve();
    if (!endpoints) co_return endpoints.error();
    const auto [error, endpoint] = co_await asio::async_connect(connecting_, *endpoints, net::outcome);
    if (error || !why_closed_.empty()) co_return why(because(net::reason(error)));
    boost::system::error_code ignored;
    connecting_.set_option(net::tcp::no_delay(true), ignored);
    stream_ = tls_ != nullptr ? tls_->stream(std::move(connecting_)) : std::make_unique<Stream>(std::move(connecting_));
    const auto greeted = co_await stream_->handshake(url_.address.host);
    if (!greeted || !why_closed_.empty()) co_return why(greeted ? Why() : greeted.error());
    is_reusable_ = true;
    co_return result<void, Why>();
}

net::awaitable<result<void, Why>> Connection::ask(std::string target, std::string body, HttpParser::Body answer) {
    is_reusable_ = false;  // until the answer has been read
    parser_ = std::make_unique<HttpParser>(answer);
    // A watch of a member that has lost the others would say nothing for ever; with this it ends.
    const std::string question = "POST " + target +
                                 " HTTP/1.1\r\nHost: " + net::host_and_port(url_.address.host, url_.address.port) +
                                 "\r\nContent-Type: application/json\r\nGrpc-Metadata-hasleader: true" +
                                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    const auto written = co_await stream_->write(question);
    if (!written || !why_closed_.empty()) co_return why(written ? Why() : written.error());
    while (!parser_->has_head()) {
        if (auto read = co_await read_more(); !read) co_return read.error();
    }
    co_return result<void, Why>();
}

net::awaitable<result<void, Why>> Connection::read_more() {
    const auto size = co_await stream_->read_some(buffer_);
    if (!size || !why_closed_.empty()) co_return why(size ? Why() : size.error());
    if (*size == 0) co_return parser_->end();
    co_return parser_->feed(std::string_view(buffer_.data(), *size));
}

net::awaitable<result<HttpAnswer, Why>> Connection::post(std::string target, std::string body) {
    const auto asked = co_await ask(std::move(target), std::move(body), HttpParser::Body::whole);
    if (!asked) co_return asked.error();
    while (!parser_->is_done()) {
        if (auto read = co_await read_more(); !read) co_return read.error();
    }
    is_reusable_ = parser_->keeps_alive();
    co_return HttpAnswer{parser_->status(), parser_->take_body()};
}

net::awaitable<result<HttpAnswer, Why>> Connection::open_stream(std::string target, std::string body) {
    const auto asked = co_await ask(std::move(target), std::move(body), HttpParser::Body::lines);
    if (!asked) co_return asked.error();
    constexpr unsigned ok = 200;
    while (parser_->status() != ok && !parser_->is_done()) {
        if (auto read = co_await read_more(); !read) co_return read.error();
    }
    co_return HttpAnswer{parser_->status(), parser_->status() == ok ? "" : parser_->take_body()};
}

net::awaitable<result<std::optional<std::string>, Why>> Connection::next_line() {
    for (;;) {
        if (auto line = parser_->take_line()) co_return line;
        if (parser_->is_done()) co_return std::nullopt;
        if (auto read = co_await read_more(); !read) co_return read.error();
    }
}

}  // namespace chat::etcd
