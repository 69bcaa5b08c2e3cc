#pragma once

#include "app/story.hpp"
#include "net/socket.hpp"

#include <exception>

/// Every event that is told, in the order of a server's life: its name in JSON, and its sentence with its fields.
/// Before the sentence stands whoever tells it: `server`, `acceptor 3`, `handler 7`.
/// Fields: sockname and peer are addresses, `127.0.0.1:1234`; pid a process id; data what came, its line ending left
/// out; reason the system's words or an exception's; node a node's name; names ending in _ms are milliseconds.
/// What stands behind a sentence are fields that only JSON has, for programs that read along; an event without a
/// sentence is told in JSON only.
namespace app::events {

// The server.
inline constexpr Event<3> started{"started", "started with pid {pid}", "{program}{version}"};
inline constexpr Event<1> got_listening_socket{"got_listening_socket", "got listening socket {sockname}"};
inline constexpr Event<1> faults_are_on{"faults_are_on", "obeys faults: {faults}"};
inline constexpr Event<1> left_out{"left_out", "left out {lines} lines: stdout was not read"};
inline constexpr Event<1> got_signal{"got_signal", "got signal {signal}"};
inline constexpr Event<0> stops_accepting{"stops_accepting", "stops accepting"};
inline constexpr Event<2> cuts_off{"cuts_off", "cuts off {clients} clients after {waited_ms} ms"};
inline constexpr Event<0> stopped{"stopped", "stopped"};

// Supervisors (04): the four reports of OTP, and what else a supervisor of processes does. `pid` is a process's number,
// or in a supervisor of coroutines the number of a life: `<7>`. `restarts` is how many its window holds, the one that
// this report leads to included.
inline constexpr Event<4> supervisor_started{"supervisor_started", "", "{supervisor}{strategy}{intensity}{period_s}"};
inline constexpr Event<6> supervisor_report{
    "supervisor_report", "{supervisor} reports {context}. Reason: {reason}. Offender: id={offender},pid={pid}.",
    "{restarts}"};
inline constexpr Event<3> supervisor_progress{"supervisor_progress", "{supervisor} started id={child},pid={pid}."};
inline constexpr Event<3> starts_child{"starts_child", "", "{supervisor}{child}{pid}"};  // inside a worker
inline constexpr Event<2> gives_up{"gives_up", "{supervisor} gives up: {why}."};
inline constexpr Event<3> answers{"answers", "", "{child}{after_ms}{limit_ms}"};  // a heartbeat
inline constexpr Event<3> does_not_answer{"does_not_answer", "finds {child} hung for {hung_ms} ms: sends {signal}"};
inline constexpr Event<1> starts_too_slowly{"starts_too_slowly", "kills {child}: not ready in time"};
inline constexpr Event<2> replaces{"replaces", "replaces {child} by {successor}"};
inline constexpr Event<2> replaced{"replaced", "has replaced {child} by {successor}"};
inline constexpr Event<2> keeps{"keeps", "keeps {child}: {reason}"};
inline constexpr Event<0> replaces_already{"replaces_already", "is replacing workers already"};
inline constexpr Event<0> drains{"drains", "stops accepting, and waits for its clients"};
inline constexpr Event<0> drained{"drained", "has no clients any more"};

// Whoever accepts: the server itself in 01, its acceptors from 02 on.
inline constexpr Event<0> waits_for_client{"waits_for_client", "waits for client"};
inline constexpr Event<1> got_client_connection{"got_client_connection", "got client connection {peer}"};
inline constexpr Event<1> accepts_no_more{"accepts_no_more", "accepts no more: {reason}"};
inline constexpr Event<2> cannot_accept{"cannot_accept", "cannot accept: {reason}; waits {wait_ms} ms"};
inline constexpr Event<1> cannot_start_thread{"cannot_start_thread", "cannot start a thread: {reason}"};
inline constexpr Event<1> waits_for_free_place{"waits_for_free_place", "waits until one of {max} clients leaves"};
inline constexpr Event<2> rejects_client{"rejects_client", "rejects client {peer}: {reason}"};
inline constexpr Event<1> crashed{"crashed", "crashed: {reason}"};
inline constexpr Event<1> accepted{"accepted", "accepted {clients} clients"};

// Whoever serves: the server itself in 01; from 02 on a handler, which is one client's own thread or coroutine.
inline constexpr Event<1> runs_in_loop{"runs_in_loop", "runs in loop {loop}"};  // 03, where there are several
inline constexpr Event<1> serves{"serves", "", "{peer}"};  // the client that got_client_connection has named
/// The client does not read: so many bytes of replies wait for it, and nothing is read of it meanwhile.
inline constexpr Event<1> waits_for_peer{"waits_for_peer", "", "{bytes}"};
inline constexpr Event<0> waits_for_data{"waits_for_data", "waits for data"};
inline constexpr Event<1> got_data_from_client{"got_data_from_client", "got data from client {data}"};
inline constexpr Event<0> connection_closed{"connection_closed", "connection closed"};
inline constexpr Event<1> connection_lost{"connection_lost", "connection lost: {reason}"};
inline constexpr Event<1> is_idle{"is_idle", "has been idle for {idle_ms} ms"};

// The chat. Whoever has people in the rooms: the handler of a client at the text door, which has one; a link to another
// C++ node; a node that speaks Erlang's protocol.
inline constexpr Event<2> has_in_room{"has_in_room", "has {name} in the room {room}"};
inline constexpr Event<2> has_no_longer_in_room{"has_no_longer_in_room", "has {name} no longer in the room {room}"};
inline constexpr Event<1> opens_room{"opens_room", "opens the room {room}"};
inline constexpr Event<1> closes_room{"closes_room", "closes the room {room}: nobody is in it"};
inline constexpr Event<3> finds_removed{"finds_removed", "finds {name} removed from the room {room}: {reason}"};
inline constexpr Event<1> was_refused{"was_refused", "was refused: {reason}"};
inline constexpr Event<1> cuts_off_client{"cuts_off_client", "cuts off its client: {reason}"};
inline constexpr Event<1> ignores{"ignores", "ignores {what}"};
inline constexpr Event<1> waits_for_links{"waits_for_links", "waits for links of other nodes on {sockname}"};
inline constexpr Event<0> takes_local_links{"takes_local_links",
                                            "takes links from this computer only, as it has no --link-secret-file"};
inline constexpr Event<2> link_refused{"link_refused", "from {peer} is refused: {reason}"};
inline constexpr Event<2> refuses_link{"refuses_link", "refuses a link from {peer}: there are {links} already"};
inline constexpr Event<2> is_linked{"is_linked", "is connected with {node} at {peer}"};
inline constexpr Event<1> link_lost{"link_lost", "is gone: {reason}"};
inline constexpr Event<1> tries_again{"tries_again", "tries again in {wait_ms} ms"};
inline constexpr Event<2> room_is_down{"room_is_down", "finds that {room} is DOWN: {reason}"};
inline constexpr Event<1> room_is_up{"room_is_up", "has joined {room}"};
inline constexpr Event<2> waits_for_erlang{"waits_for_erlang", "waits for Erlang nodes as {node} on {sockname}"};
inline constexpr Event<1> is_known_to_epmd{"is_known_to_epmd", "is known to epmd on port {port}"};
inline constexpr Event<1> is_unknown_to_epmd{"is_unknown_to_epmd", "is not known to epmd: {reason}"};
// What follows in the rooms, in the one order that they have: `sequence` grows from line to line, in whatever room.
// Several nodes that have the same rooms tell the same lines. `kind` is joined, said or left, and `text` what was said,
// or why somebody has left. The rest is told by whoever has the rooms (05's `server`), without being asked.
inline constexpr Event<5> room_line{"room_line", "", "{room}{kind}{name}{sequence}{text}"};
/// The rooms are others from here on: with those in them who are named next, the first thousand of them.
inline constexpr Event<1> rooms_begin_anew{"rooms_begin_anew", "", "{sequence}"};
inline constexpr Event<4> finds_in_room{"finds_in_room", "", "{name}{room}{node}{sequence}"};
/// Whoever has people in the rooms: so many bytes wait for it, because it does not read them. At `most` it is cut off.
inline constexpr Event<2> is_behind{"is_behind", "", "{bytes}{most}"};
/// The event loop came back to what was due only so much later.
inline constexpr Event<1> lags{"lags", "", "{ms}"};
// One of several nodes that have the same rooms, over etcd.
inline constexpr Event<1> adopts_house{"adopts_house", "adopts what the first node has chosen: {limits}"};
inline constexpr Event<1> sees_node_come{"sees_node_come", "sees the node {node} come"};
inline constexpr Event<1> sees_node_go{"sees_node_go", "sees the node {node} go"};
inline constexpr Event<3> log_is_silent{"log_is_silent",
                                        "hears nothing from {etcd} for {silent_ms} ms: what is said waits: {reason}"};
inline constexpr Event<1> log_is_back{"log_is_back", "hears from {etcd} again: what has waited goes out"};
inline constexpr Event<0> was_thought_dead{"was_thought_dead", "was taken for dead by the other nodes, and comes back"};
inline constexpr Event<0> starts_over{"starts_over", "was away for too long, and starts over from a snapshot"};
inline constexpr Event<0> waits_for_snapshot{"waits_for_snapshot", "waits until another node writes a snapshot"};
inline constexpr Event<0> begins_with_empty_rooms{"begins_with_empty_rooms",
                                                  "begins with empty rooms: no node lives that knows how they were"};
inline constexpr Event<2> wrote_snapshot{"wrote_snapshot", "wrote a snapshot at revision {revision}: {bytes} bytes"};
/// How it stands with a node, now and then: it is called `node`; `epoch` is the revision that it has come with (0: it
/// is not in), `revision` the place up to which it has applied the log, `waiting` how many requests of its people are
/// not ordered yet, `silent_ms` how long it has heard nothing from etcd.
inline constexpr Event<6> has_lease{"has_lease", "", "{node}{lease}{epoch}{revision}{waiting}{silent_ms}"};
inline constexpr Event<2> knows_node{"knows_node", "", "{node}{epoch}"};                   // that lives, ours too
inline constexpr Event<3> node_has_in_room{"node_has_in_room", "", "{node}{name}{room}"};  // another node's person
/// Not a sentence, but some lines that can be copied into a shell (story::show).
inline constexpr std::string_view how_to_join{"how_to_join"};

}  // namespace app::events

/// Events whose values cost something: prepared only where a story is told.
namespace app {

/// That a client was accepted only to be closed.
void tell_rejected(const Who& who, const net::SocketBase& client, std::string_view reason);

/// Which connection is served from now on, and by whom; for programs.
void tell_serves(const Who& who, const net::SocketBase& client);

/// What came from a client, without its line ending, which would only blur the log.
inline void tell_data(const Who& who, std::string_view packet) {
    if (!story::is_told()) return;
    if (packet.ends_with('\n')) packet.remove_suffix(1);
    if (packet.ends_with('\r')) packet.remove_suffix(1);
    tell(who, events::got_data_from_client, packet);
}

/// For whoever started a coroutine: that an exception has ended it, which otherwise vanishes without a word. True when
/// there was one.
bool tell_crash(const Who& who, const std::exception_ptr& exception);

/// How a connection ended: closed by the client, or lost with a reason.
void tell_closed(const Who& who, const boost::system::error_code& why);

}  // namespace app
