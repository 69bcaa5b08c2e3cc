#pragma once

#include "05_chat/base/addresses.hpp"
#include "05_chat/engine/etcd/etcd.hpp"
#include "05_chat/room/room.hpp"
#include "05_chat/text/server.hpp"
#include "app/options.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chat {

/// The options of this stage; beside them stand those of every server.
struct Options {
    Limits limits;
    SessionLimits session_limits;
    std::size_t max_backlog = 1 << 20;                  // --max-backlog: bytes that wait for one connection
    std::size_t max_waiting = 64 << 20;                 // --max-waiting: bytes that wait for all of them together
    std::chrono::milliseconds handshake_timeout{5000};  // for other nodes, C++ and Erlang

    std::optional<std::uint16_t> node_port;  // where other C++ nodes link; none: nowhere
    std::optional<Address> join;             // the C++ node whose rooms our people are in
    std::optional<ErlangRoom> join_erlang;   // the room on an Erlang node they are in
    bool rejoin = false;
    std::string link_secret_file;        // what both sides of a link must know; empty: they need not
    std::size_t max_node_people = 1000;  // --max-node-people: of one other node, in all rooms
    bool supervised = false;

    std::optional<etcd::Reach> etcd;  // --engine etcd; none: local
    // --workers.
    unsigned workers = 0;  // processes of this program, all of them nodes; 0: it is itself the node
    unsigned watchdog_ms = 2000;
    int max_restarts = 3;                              // 04's
    unsigned max_seconds = 5;                          // … within this many seconds
    std::chrono::milliseconds shutdown_timeout{5000};  // of the people of a worker that is replaced
    unsigned worker = 0;                               // the number of the worker that this process is; 0: it is none
    bool again = false;                                // that worker was up before, in another process
    std::vector<std::string> arguments;  // what this process was started with; the first is the program's name

    // Erlang's side; empty sname: none.
    std::string sname;
    std::optional<std::string> cookie;
    std::string dist_host = "127.0.0.1";
    std::uint16_t dist_port = 0;
    std::string registered = "chatroom";

    /// Reads the command line, `server`'s options too. Ends the program where it is wrong.
    void parse_or_exit(int argc, char** argv, app::ServerOptions& server);

    /// The command line that makes this program the worker `number`.
    std::vector<std::string> arguments_of_worker(unsigned number, bool is_again) const;

private:
    struct EtcdTexts;
    void read_etcd(const app::CommandLine& line, const EtcdTexts& given);
};

}  // namespace chat
