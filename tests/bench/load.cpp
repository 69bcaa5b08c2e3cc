#include "load.hpp"

#include "app/text.hpp"
#include "chat_load.hpp"
#include "meter.hpp"
#include "net/error.hpp"
#include "poller.hpp"
#include "process.hpp"
#include "stream.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace bench {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t read_size = 256 * 1024;
constexpr std::size_t write_size = 256 * 1024;
constexpr std::size_t set_up_at_once = 256;  // connections waiting for their first answer; a backlog may be short
constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
constexpr auto no_deadline = steady_clock::time_point::max();

// The streams that go out and have to come back, and the buffers all connections share.
class Wire {
public:
    explicit Wire(const Plan& plan)
        : sent_("", plan.size, plan.lines),
          replies_(plan.lines ? "ECHO " : "", plan.size, plan.lines),
          in_(read_size, '\0'),
          out_(write_size, '\0') {}

    std::size_t message_size() const { return sent_.message_size(); }
    std::size_t reply_size() const { return replies_.message_size(); }

    // Sends the connection's bytes from `position` to `end`, or fewer if the kernel takes no more. Returns how many.
    std::uint64_t send(int socket, std::uint32_t connection, std::uint64_t position, std::uint64_t end) {
        std::uint64_t done = position;
        while (done < end) {
            const std::size_t length = std::min<std::uint64_t>(end - done, write_size);
            sent_.write(connection, done, length, out_.data());
            const ssize_t taken = ::send(socket, out_.data(), length, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (taken < 0 && errno == EAGAIN) break;
            if (taken < 0) throw Closed(who(connection) + ": the server closed: " + system_says());
            done += static_cast<std::uint64_t>(taken);
            if (static_cast<std::size_t>(taken) < length) break;
        }
        return done - position;
    }

    // Reads once, and checks what came against the stream from `position` on, which may not go beyond `end`. Returns
    // how many bytes came; nothing for the end of the stream, which is right only where `closing` says so.
    std::optional<std::uint64_t> receive(int socket, std::uint32_t connection, std::uint64_t position,
                                         std::uint64_t end, bool closing) {
        const ssize_t got = recv(socket, in_.data(), read_size, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) return 0;
        if (got < 0) throw Closed(who(connection) + ": " + system_says());
        if (got == 0 && !closing) {
            throw Closed(who(connection) + ": the server closed after " + std::to_string(position) + " of " +
                         std::to_string(end) + " bytes");
        }
        if (got == 0) return {};
        const std::string_view bytes(in_.data(), static_cast<std::size_t>(got));
        const std::size_t right = replies_.matching(connection, position, bytes);
        if (right < bytes.size()) {
            const std::size_t shown = std::min<std::size_t>(bytes.size() - right, 24);
            std::string wanted(shown, '\0');
            replies_.write(connection, position + right, shown, wanted.data());
            throw WrongAnswer(who(connection) + ": byte " + std::to_string((position + right) % reply_size()) +
                              " of reply " + std::to_string((position + right) / reply_size()) + " is wrong: got `" +
                              app::text::visible(bytes.substr(right, shown), shown) + "`, expected `" +
                              app::text::visible(wanted, shown) + "`");
        }
        if (position + bytes.size() > end) {
            throw WrongAnswer(who(connection) + ": " + std::to_string(position + bytes.size() - end) +
                              " bytes that nobody asked for");
        }
        return bytes.size();
    }

private:
    static std::string who(std::uint32_t connection) { return "connection " + std::to_string(connection); }
    static std::string system_says() { return net::reason({errno, boost::system::system_category()}); }

    Stream sent_;
    Stream replies_;
    std::string in_;
    std::string out_;
};

// One of --faults' commands.
void order(int socket, std::string_view command) {
    send(socket, command.data(), command.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Connections that stay, each with some messages in flight.
class Echo {
public:
    Echo(const Plan& plan, std::stop_token stop)
        : plan_(plan), wire_(plan), poller_(plan.patience, std::move(stop)), connections_(plan.connections) {}

    Report run() {
        Report report;
        open(1);
        const std::size_t memory_of_one = plan_.server ? resident_bytes(*plan_.server) : 0;
        open(connections_.size());
        if (memory_of_one > 0 && connections_.size() > 1) {
            report.bytes_per_connection = (static_cast<double>(resident_bytes(*plan_.server)) - memory_of_one) /
                                          static_cast<double>(connections_.size() - 1);
        }
        report.messages = answered_;
        if (plan_.kind == Kind::echo) measure(report);
        finish();
        return report;
    }

private:
    // All positions are bytes since the connection's beginning.
    struct Connection {
        Fd socket;
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        std::uint64_t goal = 1;       // messages to send and to get answered
        std::uint64_t probe_end = 0;  // where the reply ends whose time is taken; 0: none is under way
        steady_clock::time_point probe_sent;
        bool blocked = false;  // the kernel took less than we had: EPOLLOUT is watched
        bool closing = false;  // we have sent our last byte and said so
    };

    std::uint64_t answered(const Connection& c) const { return c.received / wire_.reply_size(); }

    // Opens connections until there are `count`, and waits for the first answer on each.
    void open(std::size_t count) {
        while (opened_ < count) {
            Connection& c = connections_[opened_];
            c.socket = connect_to(plan_.port, opened_);
            poller_.add(c.socket.get(), static_cast<std::uint32_t>(opened_), EPOLLIN);
            top_up(static_cast<std::uint32_t>(opened_++));
            ++waiting_;
            if (waiting_ == set_up_at_once || opened_ == count) turn_until_answered();
        }
    }

    void measure(Report& report) {
        Meter meter(plan_);
        for (Connection& c : connections_) c.goal = unlimited;
        waiting_ = connections_.size();
        for (std::uint32_t i = 0; i < connections_.size(); ++i) top_up(i);
        turn_until(steady_clock::now() + plan_.warm_up);
        const std::uint64_t before = answered_;
        latencies_.clear();
        meter.begin();
        // The first one soon, so that as many come in each run.
        if (plan_.abort_each.count() > 0) next_abort_ = steady_clock::now() + plan_.abort_each / 10;
        turn_until(steady_clock::now() + plan_.measured);
        next_abort_ = no_deadline;
        meter.end(report, latencies_);
        report.messages = answered_ - before;
        report.faults = faults_;
    }

    // What was begun is finished, and nothing comes after it.
    void finish() {
        finishing_ = true;
        waiting_ = 0;
        for (std::uint32_t i = 0; i < connections_.size(); ++i) {
            Connection& c = connections_[i];
            c.goal = (c.sent + wire_.message_size() - 1) / wire_.message_size();
            if (answered(c) < c.goal) ++waiting_;
        }
        turn_until_answered();
        for (Connection& c : connections_) {
            shutdown(c.socket.get(), SHUT_WR);
            c.closing = true;
        }
        while (opened_ > 0) turn(no_deadline);
    }

    void turn_until_answered() {
        while (waiting_ > 0) turn(no_deadline);
    }
    void turn_until(steady_clock::time_point until) {
        while (turn(until)) continue;
    }

    // Serves the events there are; false when `until` has come.
    bool turn(steady_clock::time_point until) {
        const auto events = poller_.wait(until);
        for (const epoll_event& event : events) {
            try {
                if (event.events & ~EPOLLOUT) receive(event.data.u32);
                top_up(event.data.u32);
            } catch (const Closed&) {
                if (plan_.abort_each.count() == 0) throw;
                come_again(event.data.u32);
            }
        }
        if (steady_clock::now() >= next_abort_) abort_one();
        return !events.empty();
    }

    // A process has died, and this connection with it; another is there.
    void come_again(std::uint32_t index) {
        Connection& c = connections_[index];
        const std::uint64_t goal = c.goal;
        if (answered(c) < goal) --waiting_;
        c = {};
        --opened_;
        if (finishing_) return;
        c.socket = connect_to(plan_.port, index);
        c.goal = goal;
        ++opened_;
        ++waiting_;
        poller_.add(c.socket.get(), index, EPOLLIN);
        top_up(index);
    }

    void abort_one() {
        next_abort_ = steady_clock::now() + plan_.abort_each;
        killer_ = connect_to(plan_.port, connections_.size());
        order(killer_.get(), "!abort\n");
        ++faults_;
    }

    void receive(std::uint32_t index) {
        Connection& c = connections_[index];
        const std::uint64_t end = (c.sent + wire_.message_size() - 1) / wire_.message_size() * wire_.reply_size();
        const auto got = wire_.receive(c.socket.get(), index, c.received, end, c.closing);
        if (!got) {
            c.socket.close();
            --opened_;
            return;
        }
        const std::uint64_t before = answered(c);
        c.received += *got;
        const std::uint64_t now = answered(c);
        answered_ += now - before;
        if (before < c.goal && now >= c.goal) --waiting_;
        if (c.probe_end != 0 && c.received >= c.probe_end) {
            latencies_.add(steady_clock::now() - c.probe_sent);
            c.probe_end = 0;
        }
    }

    // Sends what the depth allows.
    void top_up(std::uint32_t index) {
        Connection& c = connections_[index];
        if (c.closing) return;
        const std::uint64_t end = std::min(c.goal, answered(c) + plan_.depth) * wire_.message_size();
        if (c.sent >= end) return;
        if (c.probe_end == 0) {
            const std::uint64_t next = (c.sent + wire_.message_size() - 1) / wire_.message_size();
            c.probe_end = (next + 1) * wire_.reply_size();
            c.probe_sent = steady_clock::now();
        }
        c.sent += wire_.send(c.socket.get(), index, c.sent, end);
        if (const bool blocked = c.sent < end; blocked != c.blocked) {
            c.blocked = blocked;
            poller_.change(c.socket.get(), index, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
        }
    }

    const Plan& plan_;
    Wire wire_;
    Poller poller_;
    Latencies latencies_;
    std::vector<Connection> connections_;
    std::size_t opened_ = 0;      // the first so many are connected
    std::size_t waiting_ = 0;     // of those, how many are short of their goal
    std::uint64_t answered_ = 0;  // messages, on all together
    bool finishing_ = false;

    steady_clock::time_point next_abort_ = no_deadline;
    Fd killer_;  // the connection that says it; open until the next one, for the server must have read it
    std::uint64_t faults_ = 0;
};

// Connections that live for one message: connect, send, be answered, half-close, see the server close.
class Churn {
public:
    Churn(const Plan& plan, std::stop_token stop)
        : plan_(plan), wire_(plan), poller_(plan.patience, std::move(stop)), slots_(plan.connections) {}

    Report run() {
        Report report;
        Meter meter(plan_);
        for (std::uint32_t i = 0; i < slots_.size(); ++i) open(i);
        turn_until(steady_clock::now() + plan_.warm_up);
        const std::uint64_t before = served_;
        const std::uint64_t faults_before = faults_;
        latencies_.clear();
        meter.begin();
        turn_until(steady_clock::now() + plan_.measured);
        meter.end(report, latencies_);
        report.messages = served_ - before;
        report.faults = faults_ - faults_before;
        ending_ = true;
        while (opened_ > 0) turn(no_deadline);
        return report;
    }

private:
    struct Slot {
        Fd socket;
        std::uint32_t number = 0;  // of the connection that has the slot
        std::uint64_t received = 0;
        bool closing = false;  // all was answered, and we have half-closed
        bool thrown = false;   // it asked for an exception: no answer, and an end of any kind
        steady_clock::time_point since;
    };

    void open(std::uint32_t index) {
        Slot& slot = slots_[index];
        slot = {};
        slot.since = steady_clock::now();
        slot.number = next_++;
        slot.socket = connect_to(plan_.port, slot.number);
        ++opened_;
        poller_.add(slot.socket.get(), index, EPOLLIN);
        slot.thrown = plan_.throw_every > 0 && slot.number % plan_.throw_every == plan_.throw_every - 1;
        if (slot.thrown) return order(slot.socket.get(), "!throw\n");
        if (wire_.send(slot.socket.get(), slot.number, 0, wire_.message_size()) < wire_.message_size()) {
            throw std::invalid_argument("a fresh connection does not take a message of this size at once");
        }
    }

    bool turn(steady_clock::time_point until) {
        const auto events = poller_.wait(until);
        for (const epoll_event& event : events) receive(event.data.u32);
        return !events.empty();
    }
    void turn_until(steady_clock::time_point until) {
        while (turn(until)) continue;
    }

    void receive(std::uint32_t index) {
        Slot& slot = slots_[index];
        const auto got = slot.thrown ? end_of_thrown(slot)
                                     : wire_.receive(slot.socket.get(), slot.number, slot.received, wire_.reply_size(),
                                                     slot.closing);
        if (!got) {
            slot.socket.close();
            --opened_;
            ++served_;
            latencies_.add(steady_clock::now() - slot.since);
            if (!ending_) open(index);
            return;
        }
        slot.received += *got;
        if (!slot.closing && slot.received == wire_.reply_size()) {
            slot.closing = true;
            shutdown(slot.socket.get(), SHUT_WR);
        }
    }

    std::optional<std::uint64_t> end_of_thrown(const Slot& slot) {
        char byte;
        const ssize_t got = recv(slot.socket.get(), &byte, 1, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) return 0;
        if (got > 0) throw WrongAnswer("`!throw` was answered: is the server started with --faults?");
        ++faults_;
        return {};
    }

    const Plan& plan_;
    Wire wire_;
    Poller poller_;
    Latencies latencies_;
    std::vector<Slot> slots_;
    std::size_t opened_ = 0;
    std::uint64_t served_ = 0;
    std::uint64_t faults_ = 0;
    std::uint32_t next_ = 0;
    bool ending_ = false;
};

void require(bool met, const char* what) {
    if (!met) throw std::invalid_argument(what);
}

}  // namespace

Report run(const Plan& plan, std::stop_token stop) {
    require(plan.size > Stream::tag_size + 1 && plan.size <= Stream::max_size, "a message has 10 bytes to 1 MiB");
    require(plan.depth >= 1 && plan.depth <= 4096, "1 to 4096 messages are in flight");
    require(plan.connections >= 1 && plan.connections + plan.deaf + spare_files <= raise_file_limit(),
            "there are more connections than this process may have files (ulimit -n)");
    require(plan.senders >= 1 && plan.senders <= plan.connections,
            "senders are members: 1 or more, and no more than those");
    require(plan.rooms >= 1 && plan.rooms <= plan.senders, "somebody speaks in each room");
    require(plan.rooms == 1 || (plan.dialect == Dialect::text && plan.deaf == 0),
            "only in 05 are there several rooms, and nobody deaf in them");
    switch (plan.kind) {
        case Kind::churn: return Churn(plan, std::move(stop)).run();
        case Kind::chat: return run_chat(plan, std::move(stop));
        default: return Echo(plan, std::move(stop)).run();
    }
}

}  // namespace bench
