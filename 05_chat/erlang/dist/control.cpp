#include "05_chat/erlang/dist/control.hpp"

#include "05_chat/base/bytes.hpp"

namespace erlang {

namespace {

enum Operation : std::int32_t {
    op_link = 1,
    op_send = 2,
    op_exit = 3,
    op_reg_send = 6,
    op_exit2 = 8,
    op_monitor = 19,
    op_demonitor = 20,
    op_monitor_exit = 21,
    op_unlink_id = 35,
    op_unlink_id_ack = 36,
};

constexpr char pass_through = 'p';

std::optional<Target> read_target(TermReader& in) {
    if (auto pid = in.pid()) return Target(std::move(*pid));
    if (auto name = in.atom()) return Target(std::move(*name));
    return std::nullopt;
}

void put_target(std::string& out, const Target& target) {
    if (const auto* pid = std::get_if<Pid>(&target))
        put_pid(out, *pid);
    else
        put_atom(out, std::get<std::string>(target));
}

// A frame, built in place. Its length is filled in when it is known.
class Frame {
public:
    Frame(std::string& out, Operation operation, std::uint8_t arity) : out_(out), start_(out.size()) {
        out_.append(4, '\0');
        out_ += pass_through;
        put_version(out_);
        put_tuple(out_, arity);
        put_integer(out_, operation);
    }
    ~Frame() {
        const std::size_t length = out_.size() - start_ - 4;
        for (int i = 0; i < 4; ++i) out_[start_ + i] = static_cast<char>(length >> (24 - 8 * i) & 0xFF);
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

private:
    std::string& out_;
    std::size_t start_;
};

void put_message(std::string& out, std::string_view message) {
    put_version(out);
    out += message;
}

// The fields of one operation, in the order in which the protocol lists them.
std::optional<Control> read_fields(std::int64_t operation, std::uint32_t arity, TermReader& in) {
    switch (operation) {
        case op_send: {
            if (arity != 3 || !in.any()) return std::nullopt;
            auto to = in.pid();
            if (!to) return std::nullopt;
            return SendToPid{std::move(*to), {}};
        }
        case op_reg_send: {
            auto from = in.pid();
            if (arity != 4 || !from || !in.any()) return std::nullopt;
            auto name = in.atom();
            if (!name) return std::nullopt;
            return SendToName{std::move(*from), std::move(*name), {}};
        }
        case op_link: {
            auto from = in.pid();
            auto to = in.pid();
            if (arity != 3 || !from || !to) return std::nullopt;
            return Link{std::move(*from), std::move(*to)};
        }
        case op_unlink_id: {
            const auto id = in.any();
            auto from = in.pid();
            auto to = in.pid();
            if (arity != 4 || !id || !from || !to) return std::nullopt;
            return Unlink{*id, std::move(*from), std::move(*to)};
        }
        case op_exit:
        case op_exit2: {
            auto from = in.pid();
            auto to = in.pid();
            const auto reason = in.any();
            if (arity != 4 || !from || !to || !reason) return std::nullopt;
            return Exit{std::move(*from), std::move(*to), *reason};
        }
        case op_monitor:
        case op_demonitor: {
            auto from = in.pid();
            auto target = read_target(in);
            const auto reference = in.reference();
            if (arity != 4 || !from || !target || !reference) return std::nullopt;
            if (operation == op_demonitor) return Demonitor{std::move(*from), *reference};
            return Monitor{std::move(*from), std::move(*target), *reference};
        }
        case op_monitor_exit: {
            const auto from = read_target(in);
            auto to = in.pid();
            const auto reference = in.reference();
            const auto reason = in.any();
            if (arity != 5 || !from || !to || !reference || !reason) return std::nullopt;
            return MonitorExit{std::move(*to), *reference, *reason};
        }
        default:
            for (std::uint32_t i = 1; i < arity; ++i) {
                if (!in.any()) return std::nullopt;
            }
            return Other{operation};
    }
}

}  // namespace

std::optional<Control> read_control(std::string_view frame) {
    if (!frame.starts_with(pass_through)) return std::nullopt;
    frame.remove_prefix(1);
    TermReader in(frame);
    if (!in.version()) return std::nullopt;
    const auto arity = in.tuple();
    const auto operation = in.integer();
    if (!arity || !operation) return std::nullopt;
    auto control = read_fields(*operation, *arity, in);
    if (!control) return std::nullopt;
    // The rest is the message. An operation that we do not know may have one, too.
    const std::string_view message = in.version() ? in.rest() : std::string_view();
    if (auto* to_name = std::get_if<SendToName>(&*control))
        to_name->message = message;
    else if (auto* to_pid = std::get_if<SendToPid>(&*control))
        to_pid->message = message;
    else if (!std::holds_alternative<Other>(*control) && !in.empty())
        return std::nullopt;
    const bool is_send = std::holds_alternative<SendToName>(*control) || std::holds_alternative<SendToPid>(*control);
    if (is_send && message.empty()) return std::nullopt;
    return control;
}

void put_send(std::string& out, const Pid& from, std::string_view name, std::string_view message) {
    Frame frame(out, op_reg_send, 4);
    put_pid(out, from);
    put_atom(out, "");  // before there was a handshake, the cookie stood here
    put_atom(out, name);
    put_message(out, message);
}

std::string send_prefix(const Pid& to) {
    std::string out;
    out += pass_through;
    put_version(out);
    put_tuple(out, 3);
    put_integer(out, op_send);
    put_atom(out, "");
    put_pid(out, to);
    return out;
}

void put_send(std::string& out, const Pid& to, std::string_view message) {
    const std::string prefix = send_prefix(to);
    chat::put(out, static_cast<std::uint32_t>(prefix.size() + 1 + message.size()));
    out += prefix;
    put_message(out, message);
}

void put_monitor(std::string& out, const Pid& from, const Target& target, std::string_view reference) {
    Frame frame(out, op_monitor, 4);
    put_pid(out, from);
    put_target(out, target);
    out += reference;
}

void put_demonitor(std::string& out, const Pid& from, const Target& target, std::string_view reference) {
    Frame frame(out, op_demonitor, 4);
    put_pid(out, from);
    put_target(out, target);
    out += reference;
}

void put_monitor_exit(std::string& out, const Target& from, const Pid& to, std::string_view reference,
                      std::string_view reason) {
    Frame frame(out, op_monitor_exit, 5);
    put_target(out, from);
    put_pid(out, to);
    out += reference;
    out += reason;
}

void put_exit(std::string& out, const Pid& from, const Pid& to, std::string_view reason) {
    Frame frame(out, op_exit, 4);
    put_pid(out, from);
    put_pid(out, to);
    out += reason;
}

void put_unlink_answer(std::string& out, std::string_view id, const Pid& from, const Pid& to) {
    Frame frame(out, op_unlink_id_ack, 4);
    out += id;
    put_pid(out, from);
    put_pid(out, to);
}

}  // namespace erlang
