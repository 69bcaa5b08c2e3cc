#include "05_chat/engine/etcd/gateway_json.hpp"

#include "app/text.hpp"

#include <boost/json.hpp>

#include <array>
#include <charconv>

namespace chat::etcd::json {

namespace {

namespace js = boost::json;

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xFF;

constexpr auto digit_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::size_t i = 0; i < digits.size(); ++i) values[static_cast<unsigned char>(digits[i])] = std::uint8_t(i);
    return values;
}();

/// Bytes of etcd's own words that are shown.
constexpr std::size_t max_words = 200;

const Why strange = because("its answer is not one of etcd");

/// Thrown where an answer is not what it should be, and caught where reading it began.
struct Strange {};

/// A field that may be missing: Go leaves out what is zero or empty.
const js::value* field(const js::object& object, std::string_view name) {
    return object.if_contains(name);
}

const js::object& object_of(const js::value& value) {
    const auto* const object = value.if_object();
    if (object == nullptr) throw Strange();
    return *object;
}

/// A number of 64 bits: a string, or where it is small enough a number.
std::int64_t number(const js::object& object, std::string_view name) {
    const auto* const value = field(object, name);
    if (value == nullptr) return 0;
    if (const auto* const whole = value->if_int64()) return *whole;
    const auto* const text = value->if_string();
    if (text == nullptr) throw Strange();
    std::int64_t parsed = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), parsed);
    if (error != std::errc() || end != text->data() + text->size()) throw Strange();
    return parsed;
}

bool flag(const js::object& object, std::string_view name) {
    const auto* const value = field(object, name);
    if (value == nullptr) return false;
    if (!value->is_bool()) throw Strange();
    return value->get_bool();
}

std::string_view text(const js::object& object, std::string_view name) {
    const auto* const value = field(object, name);
    if (value == nullptr) return {};
    const auto* const string = value->if_string();
    if (string == nullptr) throw Strange();
    return *string;
}

std::string bytes(const js::object& object, std::string_view name) {
    auto decoded = from_base64(text(object, name));
    if (!decoded) throw Strange();
    return std::move(*decoded);
}

const js::array& list(const js::object& object, std::string_view name) {
    static const js::array none;
    const auto* const value = field(object, name);
    if (value == nullptr) return none;
    const auto* const array = value->if_array();
    if (array == nullptr) throw Strange();
    return *array;
}

KeyValue key_value(const js::object& object) {
    return {.key = bytes(object, "key"),
            .value = bytes(object, "value"),
            .created = number(object, "create_revision"),
            .modified = number(object, "mod_revision"),
            .version = number(object, "version")};
}

/// Every answer has one. Without it something else has answered.
Revision revision_in_header(const js::object& answer) {
    const auto* const header = field(answer, "header");
    if (header == nullptr) throw Strange();
    return number(object_of(*header), "revision");
}

/// Reads `text` with `reader`, which throws Strange.
template <class Reader>
auto reading(std::string_view text, const Reader& reader)
    -> result<decltype(reader(std::declval<const js::object&>())), Why> {
    boost::system::error_code error;
    const auto parsed = js::parse(text, error);  // no deeper than 32 levels: parse_options
    if (error) return strange;
    try {
        return reader(object_of(parsed));
    } catch (const Strange&) {
        return strange;
    }
}

/// gRPC's codes, as far as they say that nothing was done and that nothing will be. Of all others nobody knows.
enum Code {
    invalid_argument = 3,
    not_found = 5,
    already_exists = 6,
    permission_denied = 7,
    resource_exhausted = 8,
    failed_precondition = 9,
    out_of_range = 11,
    unimplemented = 12,
    unauthenticated = 16
};

bool is_refusal(std::int64_t code, std::string_view words) {
    switch (code) {
        case resource_exhausted: return words.find("too many requests") == words.npos;
        case invalid_argument:
        case not_found:
        case already_exists:
        case permission_denied:
        case failed_precondition:
        case out_of_range:
        case unimplemented:
        case unauthenticated: return true;
        default: return false;
    }
}

Failure failure(const js::object& said) {
    // Newer gateways call them code and message everywhere; 3.4's streams say grpc_code.
    const auto code = field(said, "code") != nullptr ? number(said, "code") : number(said, "grpc_code");
    const auto message = field(said, "message") != nullptr ? text(said, "message") : text(said, "error");
    if (message.empty()) throw Strange();
    auto kind = is_refusal(code, message) ? Failure::Kind::refused : Failure::Kind::no_answer;
    if (message.find("required revision has been compacted") != message.npos) kind = Failure::Kind::compacted;
    return {kind, app::text::visible(message, max_words)};
}

js::object condition(const Condition& condition) {
    js::object compare{{"result", "EQUAL"}, {"key", to_base64(condition.key)}};
    const auto is = std::to_string(condition.is);
    if (condition.about == Condition::About::created) {
        compare["target"] = "CREATE";
        compare["create_revision"] = is;
    } else {
        compare["target"] = "VERSION";
        compare["version"] = is;
    }
    return compare;
}

js::object change(const Change& change) {
    if (const auto* const remove = std::get_if<Remove>(&change)) {
        return {{"request_delete_range", {{"key", to_base64(remove->key)}}}};
    }
    const auto& write = std::get<Write>(change);
    js::object put{{"key", to_base64(write.key)}, {"value", to_base64(write.value)}};
    if (write.lease != 0) put["lease"] = std::to_string(write.lease);
    return {{"request_put", std::move(put)}};
}

}  // namespace

// ---- base64 (RFC 4648) ----------------------------------------------------------------------------------------------

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    while (!bytes.empty()) {
        const std::size_t size = std::min<std::size_t>(bytes.size(), 3);
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < size ? static_cast<unsigned char>(bytes[i]) : 0);
        for (std::size_t i = 0; i < 4; ++i) text += i <= size ? digits[group >> (18 - 6 * i) & 63] : '=';
        bytes.remove_prefix(size);
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    while (!text.empty()) {
        const bool is_last = text.size() == 4;
        const std::size_t padding = is_last ? std::size_t(text[3] == '=') + std::size_t(text.substr(2, 2) == "==") : 0;
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const auto value = i < 4 - padding ? digit_values[static_cast<unsigned char>(text[i])] : 0;
            if (value == no_digit) return std::nullopt;
            group = group << 6 | value;
        }
        for (std::size_t i = 0; i < 3 - padding; ++i) bytes += static_cast<char>(group >> (16 - 8 * i) & 0xFF);
        text.remove_prefix(4);
    }
    return bytes;
}

// ---- questions ------------------------------------------------------------------------------------------------------

std::string write(const Transaction& transaction) {
    js::array conditions;
    for (const auto& one : transaction.conditions) conditions.push_back(condition(one));
    js::array changes;
    for (const auto& one : transaction.changes) changes.push_back(change(one));
    return js::serialize(js::object{{"compare", std::move(conditions)}, {"success", std::move(changes)}});
}

std::string end_of_prefix(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && end.back() == '\xFF') end.pop_back();
    if (end.empty()) return std::string(1, '\0');  // all keys
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

std::string write_range(std::string_view first, std::string_view end, std::size_t most, Revision at) {
    js::object range{{"key", to_base64(first)}, {"range_end", to_base64(end)}, {"limit", std::to_string(most)}};
    if (at != 0) range["revision"] = std::to_string(at);
    return js::serialize(range);
}

std::string write_grant(std::chrono::seconds time_to_live) {
    return js::serialize(js::object{{"TTL", std::to_string(time_to_live.count())}});
}

std::string write_lease(Lease lease) {
    return js::serialize(js::object{{"ID", std::to_string(lease)}});
}

std::string write_compaction(Revision revision) {
    return js::serialize(js::object{{"revision", std::to_string(revision)}});
}

std::string write_watch(std::string_view prefix, Revision from) {
    return js::serialize(js::object{{"create_request",
                                     {{"key", to_base64(prefix)},
                                      {"range_end", to_base64(end_of_prefix(prefix))},
                                      {"start_revision", std::to_string(from)},
                                      {"fragment", true}}}});
}

// ---- answers --------------------------------------------------------------------------------------------------------

result<TransactionAnswer, Why> read_transaction(std::string_view text) {
    return reading(text, [](const js::object& answer) {
        return TransactionAnswer{flag(answer, "succeeded"), revision_in_header(answer)};
    });
}

result<RangePage, Why> read_range(std::string_view text) {
    return reading(text, [](const js::object& answer) {
        RangePage page{{}, revision_in_header(answer), flag(answer, "more")};
        for (const auto& key : list(answer, "kvs")) page.keys.push_back(key_value(object_of(key)));
        if (page.has_more && page.keys.empty()) throw Strange();
        return page;
    });
}

result<Lease, Why> read_grant(std::string_view text) {
    return reading(text, [](const js::object& answer) {
        const Lease lease = number(answer, "ID");
        if (lease == 0) throw Strange();
        return lease;
    });
}

result<bool, Why> read_keep_alive(std::string_view text) {
    return reading(text, [](const js::object& answer) {
        const auto* const in_stream = field(answer, "result");
        if (in_stream == nullptr) throw Strange();
        const auto& kept = object_of(*in_stream);
        static_cast<void>(revision_in_header(kept));
        return number(kept, "TTL") > 0;
    });
}

result<WatchLine, Why> read_watch(std::string_view line) {
    return reading(line, [](const js::object& answer) {
        WatchLine read;
        if (const auto* const error = field(answer, "error")) {
            read.is_over = failure(object_of(*error));
            return read;
        }
        const auto* const in_stream = field(answer, "result");
        if (in_stream == nullptr) throw Strange();
        const auto& said = object_of(*in_stream);
        static_cast<void>(revision_in_header(said));
        if (flag(said, "canceled")) {
            if (number(said, "compact_revision") > 0) {
                read.is_over = {Failure::Kind::compacted, "what was asked for is older than what etcd still knows"};
            } else {
                const auto why = text(said, "cancel_reason");
                read.is_over = {Failure::Kind::no_answer,
                                why.empty() ? "etcd has ended the watch" : app::text::visible(why, max_words)};
            }
            return read;
        }
        read.goes_on = flag(said, "fragment");
        for (const auto& one : list(said, "events")) {
            const auto& event = object_of(one);
            const auto* const about = field(event, "kv");
            if (about == nullptr) throw Strange();
            const auto type = text(event, "type");  // PUT is the first of them: left out
            if (!type.empty() && type != "PUT" && type != "DELETE") throw Strange();
            read.events.push_back(
                {type == "DELETE" ? Event::Kind::removed : Event::Kind::written, key_value(object_of(*about))});
        }
        return read;
    });
}

result<Failure, Why> read_refusal(std::string_view text) {
    return reading(text, [](const js::object& answer) {
        const auto* const error = field(answer, "error");
        return failure(error != nullptr && error->is_object() ? error->get_object() : answer);
    });
}

}  // namespace chat::etcd::json
