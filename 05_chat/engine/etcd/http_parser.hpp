#pragma once

#include "05_chat/base/why.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// As much of HTTP/1.1 as etcd's gateway needs: answers that are whole, and such that come line by line.
namespace chat::etcd {

/// Bytes of an answer's head.
inline constexpr std::size_t max_head = 16 * 1024;
/// Bytes of an answer; and of one line where it comes line by line. One change of etcd is 1.5 MiB at most, which JSON
/// makes a few times as much.
inline constexpr std::size_t max_answer = 32 << 20;

/// Takes an answer apart as it comes. Pure.
class HttpParser {
public:
    enum class Body { whole, lines };
    explicit HttpParser(Body body);
    ~HttpParser();

    /// The next bytes. The error: this is no HTTP, or too much.
    result<void, Why> feed(std::string_view bytes);
    /// The other side sends no more. The error: the answer was cut short.
    result<void, Why> end();

    bool has_head() const;
    bool is_done() const;
    unsigned status() const;
    /// Whether another answer may follow on the same connection.
    bool keeps_alive() const;

    /// All of the body that has come; where is_done(), all of it.
    std::string take_body();
    /// Body::lines: the next one without its end; nothing: it has not come yet.
    std::optional<std::string> take_line();

private:
    const Body kind_;
    struct Beast;  // Boost.Beast takes seconds to compile: only http_parser.cpp knows it
    std::unique_ptr<Beast> beast_;
};

}  // namespace chat::etcd
