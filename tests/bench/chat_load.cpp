#include "chat_load.hpp"

#include "app/text.hpp"
#include "heard.hpp"
#include "meter.hpp"
#include "net/error.hpp"
#include "poller.hpp"
#include "process.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace bench {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t read_size = 256 * 1024;
constexpr auto no_deadline = steady_clock::time_point::max();

std::string system_says() {
    return net::reason({errno, boost::system::system_category()});
}

class Chat {
public:
    Chat(const Plan& plan, std::stop_token stop)
        : plan_(plan),
          poller_(plan.patience, std::move(stop)),
          in_(read_size, '\0'),
          members_(plan.connections),
          senders_(plan.senders) {
        for (std::size_t room = 0; room < plan.rooms; ++room) {
            const std::size_t speakers = (plan.senders + plan.rooms - 1 - room) / plan.rooms;
            heard_.emplace_back(plan.dialect, speakers, plan.size, plan.acknowledged, room, plan.rooms);
        }
    }

    Report run() {
        if (plan_.server) memory_of_none_ = resident_bytes(*plan_.server);
        while (joined_ < members_.size()) join();
        for (std::size_t i = 0; i < plan_.deaf; ++i) join_deaf();
        open_senders();
        turn_until_up_to_date();
        const Report report = measure();
        turn_until_up_to_date();
        part();
        return report;
    }

private:
    struct Member {
        Fd socket;
        std::string welcome;            // what has come of the answer to hello
        bool is_in = false;             // it has ended: from here on the room is heard
        std::optional<Heard::Ear> ear;  // none where it only passes through
        std::string cut;                // an unfinished line, where lines are passed over
        std::string goodbye;            // one, once we have said goodbye
        bool closing = false;           // we have
    };
    struct Sender {
        Fd own;                // where it does not speak as a member
        int socket = -1;       // that it speaks on
        std::string unsent;    // what the kernel did not take
        bool blocked = false;  // so EPOLLOUT is watched
    };

    // One after another, so that everybody's place in the room is known.
    void join() {
        const auto index = static_cast<std::uint32_t>(joined_++);
        Member& member = members_[index];
        member.socket = connect_to(port_of(index), index);
        poller_.add(member.socket.get(), index, EPOLLIN);
        if (plan_.rooms == 1) member.ear = room_of(index).join(index);
        send_all(member.socket.get(), words::hello(plan_.dialect, index));
        while (!member.is_in) turn(no_deadline);
        if (plan_.rooms > 1) change_room(index);
    }

    // Nobody stays in the room where all arrive, and nobody has to be heard there.
    void change_room(std::uint32_t index) {
        Member& member = members_[index];
        member.welcome.clear();
        member.is_in = false;
        member.ear = room_of(index).join(index);
        send_all(member.socket.get(), words::go_to(index % plan_.rooms));
        while (!member.is_in) turn(no_deadline);
    }

    Heard& room_of(std::size_t member) { return heard_[member % plan_.rooms]; }

    std::uint16_t port_of(std::size_t member) const {
        const std::size_t node = member % (1 + plan_.more_nodes.size());
        return node == 0 ? plan_.port : plan_.more_nodes[node - 1].port;
    }

    void join_deaf() {
        const std::size_t number = members_.size() + deaf_.size();
        deaf_.push_back(connect_to(plan_.port, number));
        // So that it is soon seen that nobody reads.
        const int small = 4096;
        setsockopt(deaf_.back().get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        heard_[0].join_deaf(number);
        send_all(deaf_.back().get(), words::hello(plan_.dialect, number));
    }

    void open_senders() {
        for (std::size_t i = 0; i < senders_.size(); ++i) {
            if (plan_.dialect == Dialect::text) {
                senders_[i].socket = members_[i].socket.get();
            } else {
                senders_[i].own = connect_to(plan_.port, i);
                senders_[i].socket = senders_[i].own.get();
                poller_.add(senders_[i].socket, static_cast<std::uint32_t>(members_.size() + i), EPOLLIN);
                senders_[i].unsent = words::hello_of_sender(plan_.dialect);
            }
        }
    }

    Report measure() {
        Report report;
        speaking_ = true;
        for (std::size_t i = 0; i < senders_.size(); ++i) speak(i);
        turn_until(steady_clock::now() + plan_.warm_up);
        const std::size_t memory = plan_.server ? resident_bytes(*plan_.server) : 0;
        const std::uint64_t before = lines_;
        latencies_.clear();
        silence_ = {};
        last_done_ = steady_clock::now();
        Meter meter(plan_);
        meter.begin();
        if (plan_.outage) plan_.outage();
        const auto end = steady_clock::now() + plan_.measured;
        while ((plan_.enough == 0 || lines_ - before < plan_.enough) && turn(end)) continue;
        while (plan_.outage && last_done_ < end) turn(no_deadline);
        meter.end(report, latencies_);
        report.messages = lines_ - before;
        report.silence = std::chrono::duration<double>(silence_).count();
        if (plan_.server) {
            report.bytes_grown = static_cast<double>(peak_bytes(*plan_.server)) - static_cast<double>(memory);
            report.bytes_per_connection =
                (static_cast<double>(resident_bytes(*plan_.server)) - static_cast<double>(memory_of_none_)) /
                static_cast<double>(members_.size());
        }
        speaking_ = false;
        return report;
    }

    // Nothing may come any more but goodbyes, and then the end.
    void part() {
        for (Member& member : members_) {
            member.closing = true;
            shutdown(member.socket.get(), SHUT_WR);
        }
        while (joined_ > 0) turn(no_deadline);
    }

    void turn_until_up_to_date() {
        const auto behind = [this] {
            for (std::size_t i = 0; i < members_.size(); ++i) {
                if (!room_of(i).is_up_to_date(*members_[i].ear)) return true;
            }
            return false;
        };
        while (behind()) turn(no_deadline);
    }
    void turn_until(steady_clock::time_point until) {
        while (turn(until)) continue;
    }

    // Serves the events there are; false when `until` has come.
    bool turn(steady_clock::time_point until) {
        const auto events = poller_.wait(until);
        for (const epoll_event& event : events) {
            const std::size_t index = event.data.u32;
            const bool readable = event.events & ~EPOLLOUT;
            if (index >= members_.size()) {
                if (readable) read_away(index - members_.size());
                if (event.events & EPOLLOUT) send_rest(index - members_.size());
            } else {
                if (event.events & EPOLLOUT) send_rest(index);
                if (readable) receive(index);
            }
        }
        for (const std::size_t sender : std::exchange(due_, {})) speak(sender);
        return !events.empty();
    }

    void receive(std::size_t index) {
        Member& member = members_[index];
        const ssize_t got = recv(member.socket.get(), in_.data(), in_.size(), MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0) throw Closed(who(index) + ": " + system_says());
        std::string_view bytes(in_.data(), static_cast<std::size_t>(got));
        if (member.closing) return hear_goodbye(index, bytes);
        if (bytes.empty()) throw Closed(who(index) + ": the server closed");
        if (!member.is_in) bytes = hear_welcome(member, bytes);
        if (!member.is_in || !member.ear) return;
        std::string of_members;
        if (plan_.outage) bytes = of_members = without_others(member, bytes);
        lines_ +=
            room_of(index).hear(index, *member.ear, bytes, [this](std::size_t sender, steady_clock::time_point since) {
                const auto now = steady_clock::now();
                latencies_.add(now - since);
                silence_ = std::max(silence_, now - last_done_);
                last_done_ = now;
                due_.push_back(sender);
            });
    }

    // The whole lines that are some member's.
    static std::string without_others(Member& member, std::string_view bytes) {
        const auto is_members = [](std::string_view line) {
            return line.size() > words::name(0).size() && line[0] == words::name(0)[0] && line[1] >= '0' &&
                   line[1] <= '9';
        };
        std::string kept;
        member.cut += bytes;
        std::string_view rest = member.cut;
        for (auto feed = rest.find('\n'); feed != rest.npos; feed = rest.find('\n')) {
            if (is_members(rest.substr(0, feed))) kept += rest.substr(0, feed + 1);
            rest.remove_prefix(feed + 1);
        }
        member.cut.erase(0, member.cut.size() - rest.size());
        return kept;
    }

    // Returns what came after it.
    std::string_view hear_welcome(Member& member, std::string_view bytes) const {
        const std::size_t before = member.welcome.size();
        member.welcome += bytes;
        const std::string_view last = words::welcome(plan_.dialect);
        const std::string_view all = member.welcome;
        const std::size_t starts = all.starts_with(last) ? 0 : all.find("\n" + std::string(last));
        const std::size_t ends = starts == all.npos ? all.npos : all.find('\n', starts + 1);
        if (ends == all.npos) return {};
        member.is_in = true;
        return bytes.substr(ends + 1 - before);
    }

    void hear_goodbye(std::size_t index, std::string_view bytes) {
        Member& member = members_[index];
        if (bytes.empty()) {
            if (!member.goodbye.empty()) throw WrongAnswer(who(index) + ": bytes that nobody asked for");
            member.socket.close();
            --joined_;
            return;
        }
        member.goodbye += bytes;
        for (std::size_t feed; (feed = member.goodbye.find('\n')) != std::string::npos;) {
            const std::string_view line = std::string_view(member.goodbye).substr(0, feed);
            if (line.find(" has left the room") == line.npos) {
                throw WrongAnswer(who(index) + ": heard `" + app::text::visible(line, 60) + "` after the last line");
            }
            member.goodbye.erase(0, feed + 1);
        }
    }

    // Fills the sender's window.
    void speak(std::size_t index) {
        if (!speaking_) return;
        Sender& sender = senders_[index];
        Heard& room = room_of(index);
        while (room.under_way(index) < plan_.depth) room.say(index, sender.unsent);
        if (!sender.blocked) send_rest(index);
    }

    void send_rest(std::size_t index) {
        Sender& sender = senders_[index];
        if (sender.unsent.empty()) return;
        const ssize_t taken =
            send(sender.socket, sender.unsent.data(), sender.unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (taken < 0 && errno != EAGAIN) throw Closed(who(index) + ": the server closed: " + system_says());
        if (taken > 0) sender.unsent.erase(0, static_cast<std::size_t>(taken));
        const std::size_t watched = index + (plan_.dialect == Dialect::text ? 0 : members_.size());
        if (const bool blocked = !sender.unsent.empty(); blocked != sender.blocked) {
            sender.blocked = blocked;
            poller_.change(sender.socket, static_cast<std::uint32_t>(watched), blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
        }
    }

    // What a sender of its own is answered: how many have heard it, or who it speaks with.
    void read_away(std::size_t index) {
        const ssize_t got = recv(senders_[index].socket, in_.data(), in_.size(), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            throw Closed("sender " + std::to_string(index) + ": the server closed");
    }

    void send_all(int socket, const std::string& bytes) {
        if (send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
            throw Closed("the server closed: " + system_says());
        }
    }

    static std::string who(std::size_t member) { return "member " + std::to_string(member); }

    const Plan& plan_;
    Poller poller_;
    std::vector<Heard> heard_;  // by room
    Latencies latencies_;
    std::string in_;
    std::vector<Member> members_;
    std::vector<Fd> deaf_;
    std::vector<Sender> senders_;
    std::vector<std::size_t> due_;    // senders one of whose lines everybody has heard
    std::size_t memory_of_none_ = 0;  // the server's, before anybody came
    std::size_t joined_ = 0;          // the first so many are connected
    std::uint64_t lines_ = 0;         // said, and heard by one: all together
    bool speaking_ = false;
    steady_clock::time_point last_done_ = {};  // when the last line was done
    steady_clock::duration silence_ = {};      // at the most, between two of them
};

}  // namespace

Report run_chat(const Plan& plan, std::stop_token stop) {
    return Chat(plan, std::move(stop)).run();
}

}  // namespace bench
