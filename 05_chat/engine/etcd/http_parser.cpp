#include "05_chat/engine/etcd/http_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <utility>

namespace chat::etcd {

namespace asio = boost::asio;
namespace http = boost::beast::http;

struct HttpParser::Beast {
    http::response_parser<http::string_body> parser;
    std::string unread;         // of what came: the parser takes some things only whole
    std::size_t taken = 0;      // bytes at the front of the body that take_line() has given away
    std::size_t looked_at = 0;  // bytes of the body in which there is no line's end, but for those taken

    std::string& body() { return parser.get().body(); }
};

HttpParser::HttpParser(Body body) : kind_(body), beast_(std::make_unique<Beast>()) {
    beast_->parser.header_limit(max_head);
    beast_->parser.body_limit(max_answer);
}

HttpParser::~HttpParser() = default;

result<void, Why> HttpParser::feed(std::string_view bytes) {
    auto& [parser, unread, taken, looked_at] = *beast_;
    unread += bytes;
    while (!unread.empty() && !parser.is_done()) {
        const bool had_head = parser.is_header_done();
        boost::system::error_code error;
        parser.eager(had_head);
        const std::size_t used = parser.put(asio::buffer(unread), error);
        unread.erase(0, used);
        if (error == http::error::need_more && unread.size() <= max_head) break;
        if (error == http::error::body_limit) return because("its answer is too long");
        if (error) return because("it does not speak HTTP: " + net::reason(error));
        if (used == 0 && parser.is_header_done() == had_head) break;  // it wants more, whatever it calls that
        // A stream as a whole has no limit; but had it one from its head, that was kept.
        if (!had_head && parser.is_header_done() && kind_ == Body::lines) parser.body_limit(boost::none);
    }
    if (beast_->body().size() - taken > max_answer) return because("its answer is too long");
    return {};
}

result<void, Why> HttpParser::end() {
    boost::system::error_code error;
    if (has_head()) beast_->parser.put_eof(error);
    if (!has_head() || error || !is_done()) return because("it has ended the connection");
    return {};
}

bool HttpParser::has_head() const {
    return beast_->parser.is_header_done();
}

bool HttpParser::is_done() const {
    return beast_->parser.is_done();
}

unsigned HttpParser::status() const {
    return beast_->parser.get().result_int();
}

bool HttpParser::keeps_alive() const {
    return beast_->parser.keep_alive() && beast_->unread.empty();
}

std::string HttpParser::take_body() {
    return std::exchange(beast_->body(), {});
}

std::optional<std::string> HttpParser::take_line() {
    auto& [parser, unread, taken, looked_at] = *beast_;
    std::string& body = beast_->body();
    const auto end = body.find('\n', looked_at);
    if (end == body.npos) {
        body.erase(0, std::exchange(taken, 0));
        looked_at = body.size();
        return std::nullopt;
    }
    const std::string_view line = std::string_view(body).substr(taken, end - taken);
    taken = looked_at = end + 1;
    return std::string(line);
}

}  // namespace chat::etcd
