#include "observer/web.hpp"

#include "app/events.hpp"
#include "observer/page.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string_view>

namespace observer {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr auto outcome = asio::as_tuple(asio::use_awaitable);

constexpr auto most_patience = 30s;  // for a request, and for a page to take its picture
constexpr auto between_pictures = 100ms;
constexpr auto longest_silence = 1s;  // then comes a picture though nothing has happened: the clock has
constexpr std::size_t most_header = 16 * 1024;

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

/// Without the port, in small letters.
std::string host_of(std::string_view field) {
    const bool is_6 = field.starts_with('[');
    std::string host(field.substr(0, is_6 ? field.find(']') : field.find(':')));
    if (is_6) host += ']';
    std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return host;
}

std::string new_nonce() {
    std::random_device random;
    constexpr std::string_view digits = "0123456789abcdef";
    std::string nonce;
    for (int i = 0; i < 32; ++i) nonce += digits[random() % digits.size()];
    return nonce;
}

std::string with_nonce(std::string_view page, std::string_view nonce) {
    constexpr std::string_view place = "@NONCE@";
    std::string all;
    for (auto at = page.find(place); at != page.npos; at = page.find(place)) {
        all.append(page.substr(0, at)).append(nonce);
        page.remove_prefix(at + place.size());
    }
    return all.append(page);
}

/// The same for every answer: nobody else may show, keep or read it.
void guard(auto& response, std::string_view nonce = {}) {
    std::string policy =
        "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'";
    if (!nonce.empty()) {
        policy += "; script-src 'nonce-" + std::string(nonce) + "'; style-src 'nonce-" + std::string(nonce) + "'";
    }
    response.set("Content-Security-Policy", policy);
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Referrer-Policy", "no-referrer");
    response.set("Cross-Origin-Resource-Policy", "same-origin");
    response.set(http::field::cache_control, "no-store");
}

Response answer(const Request& request, http::status status, std::string_view type, std::string body,
                std::string_view nonce = {}) {
    Response response(status, request.version());
    response.set(http::field::content_type, type);
    if (status == http::status::method_not_allowed) response.set(http::field::allow, "GET");
    guard(response, nonce);
    // What may follow the header of another request than GET is not read.
    response.keep_alive(request.keep_alive() && request.method() == http::verb::get);
    response.body() = std::move(body);
    response.prepare_payload();
    return response;
}

Response refuse(const Request& request, http::status status, std::string_view why) {
    return answer(request, status, "text/plain; charset=utf-8", std::string(why) + "\n");
}

/// `/picture?at=1500000`
std::optional<std::int64_t> time_in(std::string_view query) {
    constexpr std::string_view name = "at=";
    if (!query.starts_with(name)) return std::nullopt;
    query.remove_prefix(name.size());
    std::int64_t time = 0;
    const auto [end, error] = std::from_chars(query.data(), query.data() + query.size(), time);
    if (error != std::errc() || end != query.data() + query.size() || time < 0) return std::nullopt;
    return time;
}

/// A page of the tutorial, where this program was built beside it.
std::optional<std::string> tutorial(std::string_view name) {
    const bool is_name = name.ends_with(".md") && std::ranges::all_of(name.substr(0, name.size() - 3), [](char c) {
                             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                         });
    if (!is_name) return std::nullopt;
    std::ifstream file(std::string(FIVE_DOCS) + "/" + std::string(name));
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void tell_crash(const std::exception_ptr& crash) {
    app::tell_crash({"observer"}, crash);
}

}  // namespace

struct Web::State : std::enable_shared_from_this<State> {
    State(asio::io_context& its_loop, tcp::acceptor its_acceptor, std::string its_host, Pictures& its_pictures)
        : loop(its_loop), acceptor(std::move(its_acceptor)), host(std::move(its_host)), pictures(its_pictures) {}

    asio::awaitable<void> accept();
    asio::awaitable<void> serve(tcp::socket socket);
    asio::awaitable<void> send_pictures(beast::tcp_stream& stream, unsigned version);
    static asio::awaitable<void> say_goodbye(beast::tcp_stream& stream);
    Response respond(const Request& request);
    bool is_friend(const Request& request) const;

    asio::io_context& loop;
    tcp::acceptor acceptor;
    std::string host;
    Pictures& pictures;
    int connections = 0;
};

Web::Web(asio::io_context& loop, tcp::acceptor acceptor, std::string host, Pictures& pictures)
    : state_(std::make_shared<State>(loop, std::move(acceptor), std::move(host), pictures)) {
    asio::co_spawn(loop, state_->accept(), tell_crash);
}

Web::~Web() {
    boost::system::error_code ignored;
    state_->acceptor.close(ignored);
}

asio::awaitable<void> Web::State::accept() {
    const auto self = shared_from_this();
    asio::steady_timer pause(loop);
    for (;;) {
        auto [error, socket] = co_await acceptor.async_accept(outcome);
        if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
        if (error) {  // short of descriptors, most likely
            pause.expires_after(between_pictures);
            co_await pause.async_wait(outcome);
            continue;
        }
        if (connections >= most_connections) continue;  // closed at once
        ++connections;
        asio::co_spawn(loop, serve(std::move(socket)), [self](const std::exception_ptr& crash) {
            --self->connections;
            tell_crash(crash);
        });
    }
}

bool Web::State::is_friend(const Request& request) const {
    const auto hosts = request.equal_range(http::field::host);
    if (hosts.first == hosts.second || std::next(hosts.first) != hosts.second) return false;
    const auto field = hosts.first->value();
    const auto name = host_of({field.data(), field.size()});
    return name == "localhost" || name == "127.0.0.1" || name == "[::1]" || name == host || name == "[" + host + "]";
}

Response Web::State::respond(const Request& request) {
    if (!is_friend(request)) {
        return refuse(request, http::status::forbidden, "This page is for this computer: ask for it as localhost.");
    }
    if (request.method() != http::verb::get) {
        return refuse(request, http::status::method_not_allowed, "Nothing can be done here, only looked at: GET.");
    }
    const std::string_view target(request.target().data(), request.target().size());
    const auto path = target.substr(0, target.find('?'));
    const auto query = target.substr(std::min(path.size() + 1, target.size()));
    if (path == "/") {
        const auto nonce = new_nonce();
        return answer(request, http::status::ok, "text/html; charset=utf-8", with_nonce(page, nonce), nonce);
    }
    if (path == "/picture") {
        const auto time = time_in(query);
        if (!query.empty() && !time) return refuse(request, http::status::bad_request, "at=MICROSECONDS is allowed.");
        return answer(request, http::status::ok, "application/json", time ? *pictures.at(*time) : *pictures.now());
    }
    constexpr std::string_view docs = "/tutorial/";
    if (path.starts_with(docs)) {
        if (auto text = tutorial(path.substr(docs.size()))) {
            return answer(request, http::status::ok, "text/plain; charset=utf-8", std::move(*text));
        }
    }
    return refuse(request, http::status::not_found, "There are / and /events and /picture.");
}

asio::awaitable<void> Web::State::serve(tcp::socket socket) {
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer(most_header);
    for (;;) {
        http::request_parser<http::empty_body> parser;
        parser.header_limit(most_header);
        stream.expires_after(most_patience);
        const auto [failed, size] = co_await http::async_read_header(stream, buffer, parser, outcome);
        if (failed) co_return;
        const auto& request = parser.get();
        const std::string_view target(request.target().data(), request.target().size());
        if (target == "/events" && request.method() == http::verb::get && is_friend(request)) {
            co_return co_await send_pictures(stream, request.version());
        }
        auto response = respond(request);
        const bool goes_on = response.keep_alive();
        stream.expires_after(most_patience);
        const auto [lost, sent] = co_await http::async_write(stream, response, outcome);
        if (lost) co_return;
        if (!goes_on) co_return co_await say_goodbye(stream);
    }
}

/// Closing with bytes unread would reset the connection, and the reset may overtake the answer.
asio::awaitable<void> Web::State::say_goodbye(beast::tcp_stream& stream) {
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    std::array<char, 4096> unread;
    constexpr int most_reads = 100;
    for (int reads = 0; reads < most_reads; ++reads) {
        stream.expires_after(longest_silence);
        const auto [ended, size] = co_await stream.async_read_some(asio::buffer(unread), outcome);
        if (ended) co_return;
    }
}

/// Until the page goes away: it says so by an error of a write.
asio::awaitable<void> Web::State::send_pictures(beast::tcp_stream& stream, unsigned version) {
    http::response<http::empty_body> head(http::status::ok, version);
    head.set(http::field::content_type, "text/event-stream");
    guard(head);
    head.keep_alive(false);
    http::response_serializer<http::empty_body> serializer(head);
    stream.expires_after(most_patience);
    const auto [lost, size] = co_await http::async_write_header(stream, serializer, outcome);
    asio::steady_timer pause(loop);
    for (bool is_there = !lost; is_there;) {
        const auto shown = pictures.version();
        const auto picture = pictures.now();
        constexpr std::string_view before = "data: ", after = "\n\n";
        const std::array parts{asio::buffer(before), asio::buffer(*picture), asio::buffer(after)};
        stream.expires_after(most_patience);
        const auto [failed, sent] = co_await asio::async_write(stream, parts, outcome);
        is_there = !failed;
        auto waited = 0ms;
        do {
            pause.expires_after(between_pictures);
            co_await pause.async_wait(outcome);
            waited += between_pictures;
        } while (is_there && waited < longest_silence && pictures.version() == shown);
    }
}

}  // namespace observer
