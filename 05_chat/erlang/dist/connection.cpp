#include "05_chat/erlang/dist/connection.hpp"

#include "05_chat/base/bytes.hpp"
#include "app/text.hpp"

#include <algorithm>

namespace erlang {

namespace {

std::string atom(std::string_view name) {
    std::string term;
    put_atom(term, name);
    return term;
}

}  // namespace

Connection::Connection(const ProcessTable& processes, const Bounds& bounds, std::uint32_t challenge,
                       Clock::time_point now)
    : processes_(processes),
      bounds_(bounds),
      handshake_(Handshake::accepting(processes.identity(), challenge)),
      opened_(now),
      last_heard_(now),
      last_sent_(now) {}

Connection::Connection(const ProcessTable& processes, const Bounds& bounds, std::uint32_t challenge,
                       Clock::time_point now, std::string_view peer)
    : Connection(processes, bounds, challenge, now) {
    handshake_ = Handshake::connecting(processes.identity(), challenge, peer);
    output_ = handshake_.take_output();
}

void Connection::receive(std::string_view bytes, Clock::time_point now) {
    if (closed_) return;
    last_heard_ = now;
    input_ += bytes;
    std::size_t taken = 0;
    while (!closed_) {
        const std::size_t size = take_frame(std::string_view(input_).substr(taken));
        if (size == 0) break;
        taken += size;
    }
    input_.erase(0, taken);
    // Nobody has reason to send more before the handshake is done.
    if (!up_ && input_.size() > 2 * max_handshake_packet) close("it sends too much for a handshake");
}

// Handles one frame at the front of `bytes`, if it is whole. Returns how many bytes it has, or 0. A packet of the
// handshake has two bytes of length, a frame after it has four.
std::size_t Connection::take_frame(std::string_view bytes) {
    if (handshake_.state() == Handshake::State::deciding) return 0;
    chat::ByteReader in(bytes);
    const std::size_t length = up_ ? in.u32() : in.u16();
    if (!in.ok()) return 0;
    const std::size_t most = up_ ? bounds_.max_frame : max_handshake_packet;
    if (length > most) {
        close("a frame of " + std::to_string(length) + " bytes, over the limit of " + std::to_string(most));
        return 0;
    }
    const std::string_view frame = in.bytes(length);
    if (!in.ok()) return 0;
    if (up_) {
        handle(frame);
    } else {
        handshake_.packet(frame);
        shake_hands();
    }
    return bytes.size() - in.size();
}

void Connection::shake_hands() {
    output_ += handshake_.take_output();
    switch (handshake_.state()) {
        case Handshake::State::waiting: return;
        case Handshake::State::deciding: events_.push_back(NameGiven{handshake_.peer()}); return;
        case Handshake::State::failed: return close(handshake_.why());
        case Handshake::State::done: break;
    }
    up_ = true;
    events_.push_back(Up{handshake_.peer()});
}

void Connection::decide(Status status, Clock::time_point now) {
    if (closed_ || handshake_.state() != Handshake::State::deciding) return;
    handshake_.decide(status);
    shake_hands();
    receive({}, now);
}

void Connection::time(Clock::time_point now) {
    if (closed_) return;
    if (!up_) {
        if (now >= opened_ + bounds_.handshake) close("the handshake took too long");
        return;
    }
    if (now >= last_heard_ + bounds_.silence) return close("it has been silent for too long");
    if (now >= last_sent_ + bounds_.tick) {
        chat::put(output_, std::uint32_t{0});
        last_sent_ = now;
    }
}

Clock::time_point Connection::deadline() const {
    if (closed_) return Clock::time_point::max();
    if (!up_) return opened_ + bounds_.handshake;
    return std::min(last_heard_ + bounds_.silence, last_sent_ + bounds_.tick);
}

std::string Connection::take_output(Clock::time_point now) {
    if (!output_.empty()) last_sent_ = now;
    return std::exchange(output_, {});
}

std::optional<Event> Connection::next_event() {
    if (events_.empty()) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

void Connection::handle(std::string_view frame) {
    if (frame.empty()) return;  // a tick
    auto control = read_control(frame);
    if (!control) return close("an ill-formed frame");
    std::visit([this](auto& message) { handle(std::move(message)); }, *control);
}

// The peer may speak for its own processes only.
bool Connection::is_theirs(const Pid& pid) {
    if (pid.node == peer()) return true;
    ignore("a message in the name of a process of " + app::text::visible(pid.node, max_node_name));
    return false;
}

void Connection::handle(SendToName&& send) {
    if (!is_theirs(send.from)) return;
    if (send.name == "net_kernel") return answer_net_kernel(send.message);
    const auto to = processes_.whereis(send.name);
    if (!to) return ignore("a message for " + app::text::visible(send.name, max_atom) + ", which is not registered");
    events_.push_back(Message{*to, std::string(send.message)});
}

void Connection::handle(SendToPid&& send) {
    if (!processes_.is_alive(send.to)) return ignore("a message for a process that does not exist");
    events_.push_back(Message{std::move(send.to), std::string(send.message)});
}

// Node.ping(node) calls net_kernel with {'$gen_call', {Pid, Tag}, {is_auth, Node}}. The answer is {Tag, yes}.
void Connection::answer_net_kernel(std::string_view message) {
    TermReader in(message);
    if (!in.tuple(3) || !in.atom("$gen_call") || !in.tuple(2)) return;
    const auto caller = in.pid();
    const auto tag = in.any();
    if (!caller || !tag || !in.tuple(2) || !in.atom("is_auth") || !is_theirs(*caller)) return;
    std::string reply;
    put_tuple(reply, 2);
    reply += *tag;
    put_atom(reply, "yes");
    send(*caller, reply);
}

void Connection::handle(Monitor&& monitor) {
    if (!is_theirs(monitor.from)) return;
    std::optional<Pid> process;
    if (const auto* name = std::get_if<std::string>(&monitor.target))
        process = processes_.whereis(*name);
    else if (const Pid& pid = std::get<Pid>(monitor.target); processes_.is_alive(pid))
        process = pid;
    if (!process) {
        put_monitor_exit(output_, monitor.target, monitor.from, monitor.reference, atom("noproc"));
        return check_output();
    }
    if (monitors_.size() + links_.size() >= bounds_.max_monitors) return close("it monitors too much");
    monitors_.try_emplace(std::string(monitor.reference), *process,
                          Watch{std::move(monitor.target), std::move(monitor.from)});
    events_.push_back(Monitored{std::move(*process)});
}

void Connection::handle(Demonitor&& demonitor) {
    const auto found = monitors_.find(demonitor.reference);
    if (found != monitors_.end()) monitors_.erase(found);
}

void Connection::handle(Link&& link) {
    if (!is_theirs(link.from)) return;
    if (!processes_.is_alive(link.to)) {
        put_exit(output_, link.to, link.from, atom("noproc"));
        return check_output();
    }
    if (monitors_.size() + links_.size() >= bounds_.max_monitors) return close("it links to too much");
    links_.try_emplace({std::move(link.to), std::move(link.from)}, true);
}

void Connection::handle(Unlink&& unlink) {
    links_.erase({unlink.to, unlink.from});
    put_unlink_answer(output_, unlink.id, unlink.to, unlink.from);
    check_output();
}

void Connection::handle(MonitorExit&& exit) {
    events_.push_back(Down{std::string(exit.reference), std::string(exit.reason)});
}

void Connection::handle(Exit&& exit) {
    if (!is_theirs(exit.from) || !processes_.is_alive(exit.to)) return;
    links_.erase({exit.to, exit.from});
    events_.push_back(ExitSignal{std::move(exit.from), std::move(exit.to), std::string(exit.reason)});
}

void Connection::handle(Other&& other) {
    ignore("a control message " + std::to_string(other.operation));
}

void Connection::send(const Pid& from, std::string_view name, std::string_view message) {
    if (!up_) return;
    put_send(output_, from, name, message);
    check_output();
}

void Connection::send(const Pid& to, std::string_view message) {
    if (!up_) return;
    put_send(output_, to, message);
    check_output();
}

void Connection::send_prepared(std::string_view prefix, std::string_view message) {
    if (!up_) return;
    chat::put(output_, static_cast<std::uint32_t>(prefix.size() + 1 + message.size()));
    output_ += prefix;
    put_version(output_);
    output_ += message;
    check_output();
}

void Connection::monitor(const Pid& from, const Target& target, std::string_view reference) {
    if (!up_) return;
    put_monitor(output_, from, target, reference);
    check_output();
}

void Connection::demonitor(const Pid& from, const Target& target, std::string_view reference) {
    if (!up_) return;
    put_demonitor(output_, from, target, reference);
    check_output();
}

void Connection::exited(const Pid& pid, std::string_view reason) {
    if (!up_) return;
    std::erase_if(monitors_, [&](const auto& entry) {
        const auto& [reference, watched] = entry;
        if (watched.first != pid) return false;
        put_monitor_exit(output_, watched.second.target, watched.second.from, reference, reason);
        return true;
    });
    std::erase_if(links_, [&](const auto& link) {
        if (link.first.first != pid) return false;
        put_exit(output_, pid, link.first.second, reason);
        return true;
    });
    check_output();
}

void Connection::check_output() {
    if (output_.size() <= bounds_.max_output) return;
    output_.clear();
    close("it does not read");
}

void Connection::close(std::string why) {
    if (closed_) return;
    closed_ = true;
    up_ = false;
    events_.push_back(Closed{std::move(why)});
}

}  // namespace erlang
