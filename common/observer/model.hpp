#pragma once

#include "observer/told.hpp"

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace observer {

/// How much is known, and how much of it is shown. What is left out is counted in the picture.
namespace bounds {
inline constexpr std::size_t clients_known = 20'000;
inline constexpr std::size_t clients_shown = 200;
inline constexpr std::size_t clients_gone = 200;
inline constexpr std::size_t acceptors = 256;
inline constexpr std::size_t supervisors = 1000;
inline constexpr std::size_t children = 300;
inline constexpr std::size_t marks = 100;
inline constexpr std::size_t rooms = 30;
inline constexpr std::size_t rooms_known = 1000;
inline constexpr std::size_t people = 50;
inline constexpr std::size_t people_known = 20'000;
inline constexpr std::size_t room_lines = 5;
inline constexpr std::size_t links = 200;  ///< to other nodes of the chat
inline constexpr std::size_t nodes = 100;  ///< over etcd
inline constexpr std::size_t story_lines = 200;
inline constexpr std::size_t failed_lines = 100;
inline constexpr std::size_t listed = 1000;  ///< in one field of a line
inline constexpr std::size_t text = 400;     ///< bytes of one line, or of a name
inline constexpr std::size_t rate_seconds = 120;
inline constexpr Time gone_for = 3 * second;    ///< how long a client that has gone is shown
inline constexpr Time marks_for = 60 * second;  ///< how long a restart is shown
}  // namespace bounds

/// All that is known of a server, folded from its story: lines in, one picture out. Pure: no clock, no system calls,
/// and the same story makes the same picture. What the kernel knows comes as lines too, told by `observer`
/// (kernel.hpp). May be copied. One thread.
class Model {
public:
    /// Told in the order of the story.
    void take(const Told& told);

    /// A line that is none of a story: counted.
    void take_unreadable() { ++unreadable_; }

    /// How all stands at that moment, which must not lie before the last line's: an object with the keys server, door,
    /// acceptors, clients, processes, tree, restarts, rates, heartbeats, rooms, story. Times in it are microseconds
    /// since 1970. The page draws it, and may ask of it whatever stands here; more keys may come, none goes.
    ///
    ///   server      lag: null, or {process, ms, at}: an event loop came back to what was due only so much later
    ///   clients     each: behind: bytes that wait within the server, since the client does not read; its state is then
    ///               `does not read`. unsent is what the kernel keeps besides
    ///   heartbeats  each: child, answered, after_ms (how long its event loops took), limit_ms, signal
    ///   rooms       shown, left_out; sequence: the last line's place in the order that all rooms have
    ///     each room     name, opened, people, now, left_out, said, lines; sequence: its last line's place
    ///     each of people  name, via (`worker 2 handler 7`, `link 1`, `node 3`; empty: not told), process (a worker's
    ///                   number; 0: the only one), node (the node of etcd's, or behind the link, that has them; may be
    ///                   empty), since, behind (bytes, the kernel's too)
    ///     links         of other nodes of the chat: who (`link 1`; `node 1` speaks Erlang), process, node, peer,
    ///     since,
    ///                   people, behind, behind_most (there it is cut off)
    ///     elsewhere     null, or the rooms of another node, in which our people are: room, up, reason, since
    ///     nodes         that have the same rooms over etcd: name, process, epoch (the revision that it came with),
    ///     lease (0:
    ///                   not one that we watch), revision (how far it has applied the log), waiting
    ///                   (requests not ordered yet), silent_ms, state (`lives`, `waits for etcd`, `is thought dead`),
    ///                   told (when it was last heard of), people
    boost::json::object picture(Time now) const;

    /// The last line's time.
    Time time() const { return now_; }

    /// Grows with each line that may change the picture.
    std::uint64_t version() const { return version_; }

private:
    /// A process within the server, by its number; 0: the one that was started, or the only one.
    using Process = std::uint64_t;

    struct Client {
        std::string who;
        Process process = 0;
        std::string peer{}, acceptor{}, name{}, room{}, last{};
        std::string_view state = "works";
        Time came = 0, since = 0, gone = 0;
        std::uint64_t packets = 0, loop = 0;
        std::int64_t behind = 0;
        std::string why{};  // it has gone
        bool is_failure = false;
    };
    struct Acceptor {
        Process process = 0;
        std::string state{}, peer{};
        Time since = 0;
        std::uint64_t got = 0;
        bool has_ended = false;
    };
    struct Child {
        std::string id, pid{};
        std::string state = "running";
        Time since = 0;
        std::uint64_t restarts = 0;
        std::string reason{};  // its last end
    };
    struct Supervisor {
        std::string strategy{};
        std::int64_t intensity = -1, period_s = 0;
        std::vector<Child> children{};
        std::uint64_t children_left_out = 0;
        std::deque<Time> restarts{};
        std::string gave_up{};
        Time gave_up_at = 0;
    };
    using SupervisorKey = std::pair<Process, std::string>;
    struct Heartbeat {
        Time answered = 0;
        std::int64_t after_ms = 0, limit_ms = 0;
        std::string signal{};  // it was sent, for want of an answer
    };
    struct Member {
        std::string via{};  // whoever has told it: a handler, a link; empty: only the order has
        Process process = 0;
        std::string node{};  // where nobody whom we hear has them
        Time since = 0;
    };
    struct Room {
        std::string name;
        Time opened = 0;
        std::set<Process> open_in{};  // by whom it was told that it is open
        std::map<std::string, Member> people{};
        std::deque<std::pair<std::string, std::string>> lines{};  // who, and what
        std::uint64_t said = 0;
        std::int64_t sequence = 0;
    };
    struct Link {
        Process process = 0;
        std::string node{}, peer{};
        Time since = 0;
        std::int64_t behind = 0, behind_most = 0;
    };
    struct Node {
        Process process = 0;
        std::int64_t epoch = 0, lease = 0, revision = 0, waiting = 0, silent_ms = 0;
        std::string_view state = "lives";
        Time told = 0;
    };
    struct Elsewhere {
        std::string room{}, reason{};
        bool is_up = false;
        Time since = 0;
    };
    struct Line {
        std::uint64_t number = 0;
        Time time = 0;
        std::string who, event, text;
        bool is_failure = false;
    };
    struct Rates {
        std::int64_t last = 0;  // the second that was counted last
        std::array<std::uint64_t, bounds::rate_seconds> packets{}, accepts{}, failures{};
        void count(std::array<std::uint64_t, bounds::rate_seconds>& what, Time time);
        void move_to(std::int64_t to);
    };

    // What each kind of teller says.
    void take_observers(const Told& told);
    void take_door(const Told& told);
    void take_processes(const Told& told);
    void take_servers(const Told& told);
    void take_acceptors(const Told& told);
    void take_clients(const Told& told);
    void take_supervisors(const Told& told);
    void take_rooms(const Told& told);
    void take_order(const Told& told);
    void take_links(const Told& told);
    void take_nodes(const Told& told);
    void take_lag(const Told& told);
    void remember(const Told& told);

    Client* client(const Told& told);
    Client* find_client(const std::string& who);
    void end_client(const std::string& who, Time time, const std::string& why, bool is_failure);
    void process_is_over(Process process, Time time, const std::string& why);
    void server_is_over(const Told& told);
    Supervisor* supervisor(Process process, const std::string& name);
    static Child* child(Supervisor& supervisor, const std::string& id);
    void child_runs(Supervisor& supervisor, const Told& told);
    void remove_child(Process process, const std::string& id);
    Room* room(const std::string& name);
    Room* find_room(const std::string& name);
    void is_in_room(const std::string& name, const std::string& person, const Member& member);
    void leaves_room(const std::string& name, const std::string& person);
    void leave_rooms(const std::function<bool(const Member&)>& who);
    void close_if_over(const std::string& name);
    Node* node(const std::string& name);
    const std::string* node_of(Process process) const;

    boost::json::object server_picture(Time now) const;
    boost::json::object door_picture() const;
    boost::json::object acceptors_picture() const;
    boost::json::object clients_picture(Time now) const;
    boost::json::object client_picture(const Client& client) const;
    boost::json::object processes_picture() const;
    boost::json::array tree_picture() const;
    std::optional<SupervisorKey> top_of(Process process) const;
    std::optional<SupervisorKey> below(Process process, const std::string& child) const;
    boost::json::object supervisor_picture(const SupervisorKey& key, const Supervisor& supervisor,
                                           std::size_t depth) const;
    boost::json::array restarts_picture(Time now) const;
    boost::json::object rates_picture(Time now) const;
    boost::json::array heartbeats_picture() const;
    boost::json::object rooms_picture() const;
    boost::json::object room_picture(const Room& room) const;
    boost::json::array links_picture() const;
    boost::json::array nodes_picture() const;
    std::int64_t behind(const std::string& via) const;
    std::string home_of(const Member& member) const;
    boost::json::object story_picture() const;

    Time now_ = 0, began_ = 0;
    std::uint64_t version_ = 0;

    // The server.
    std::string program_, its_version_, address_, state_ = "starts", end_, faults_;
    boost::json::array command_;
    std::string pid_;
    Time started_ = 0, ended_ = 0;
    bool ended_badly_ = false;
    std::uint64_t events_ = 0, unreadable_ = 0, left_out_ = 0;

    // What the kernel said last.
    boost::json::object door_, processes_;
    std::unordered_map<std::string, std::pair<std::int64_t, std::int64_t>> sockets_;  // by peer: unread, unsent

    std::map<std::string, Acceptor> acceptors_;
    std::uint64_t acceptors_left_out_ = 0;
    std::unordered_map<std::string, std::string> accepted_;  // peer: by whom; until it is served

    std::map<std::uint64_t, Client> clients_;  // in the order of their coming
    std::unordered_map<std::string, std::uint64_t> client_of_;
    std::uint64_t last_client_ = 0, came_ = 0, went_ = 0, clients_left_out_ = 0;
    std::deque<Client> gone_;

    std::map<SupervisorKey, Supervisor> supervisors_;
    std::map<std::string, Heartbeat> heartbeats_;  // by the child's id
    std::map<std::string, Room> rooms_;            // by folded name
    std::size_t people_ = 0;
    std::uint64_t rooms_left_out_ = 0;
    bool tells_order_ = false;   // it says what follows in the rooms; else that is guessed from what people type
    std::int64_t sequence_ = 0;  // of the order, as far as somebody has told it
    std::map<std::string, Link> links_;  // by whoever tells it
    std::map<std::string, Node> nodes_;  // by their names
    std::optional<Elsewhere> elsewhere_;
    struct Lag {
        Process process = 0;
        std::int64_t ms = 0;
        Time at = 0;
    };
    std::optional<Lag> lag_;

    Rates rates_;
    std::deque<Line> story_, failed_;
    std::uint64_t lines_ = 0, failures_ = 0;
};

}  // namespace observer
