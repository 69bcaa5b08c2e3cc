#pragma once

#include "load.hpp"

#include <limits>
#include <string>
#include <vector>

namespace bench {

/// A server that can be measured.
struct Subject {
    static constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

    std::string name;
    /// The program and its options: beside `bench`, or on the PATH, if it is a mere name. Those with `{port}` in it are
    /// given a free port in its place, and have to be ready soon; all others get `--port 0` and say where they listen.
    /// A word `{bin}/NAME` is the path of that program, likewise. On etcd, `{etcd}`, `{prefix}` and `{node}` stand for
    /// what it needs to know of it.
    std::vector<std::string> command;
    std::vector<std::string> sticks;   ///< the names of those it is compared with; empty: it is a stick itself
    std::vector<std::string> groups;   ///< the cases it is for; empty: those that name it
    std::size_t clients = any_number;  ///< how many it serves at once; cases with more are not for it
    /// How many may speak in a room at once, so that all members still hear one order.
    std::size_t speakers = any_number;
    bool peer = false;                ///< somebody else's way: in a few cases only
    Dialect dialect = Dialect::text;  ///< that it speaks in a chat
    bool troubled = false;            ///< it meets what Case::trouble says
    std::string needs = {};           ///< a program that must be there, too
    std::string package = {};         ///< Debian's, without which its program is not built; empty: there is no such
    std::string version = {};         ///< of a peer, a line for the shell that says it; empty: its own --version does
    bool watched = false;             ///< `command` only watches the server, which it starts: not weighed
};

/// What is done to a troubled server, beside the load that all get.
struct Trouble {
    std::size_t deaf = 0;
    std::size_t throw_every = 0;
    std::chrono::milliseconds abort_each{};
};

/// A load to measure them under.
struct Case {
    std::string group;  ///< echo, lines, watched, churn, idle, chat, faults, growth, etcd, etcd-leader, etcd-newcomer
    std::string label;  ///< what performance tables call it: c100 64B d1 is 100 connections, 64 bytes, 1 in flight
    Plan plan;
    std::size_t rounds;                     ///< how often each is measured, at the least
    bool quick;                             ///< also part of --quick
    bool peers = false;                     ///< peers, too
    std::vector<std::string> servers = {};  ///< those that are measured, where it is not the whole group
    Trouble trouble = {};
    std::size_t etcd = 0;   ///< how many members of etcd it needs; 0: none
    std::size_t nodes = 1;  ///< of the chat, where it has etcd: people take turns
    bool counted = false;   ///< also what each server does for a message, which takes a while
    /// So many rounds more, at the most, for those servers that cannot be told from the others yet.
    std::size_t more_rounds = 0;
};

/// How far a member may be behind in the chat whose deaf members are weighed, in bytes.
inline constexpr std::size_t deaf_backlog = 256 * 1024;

bool contains(const std::vector<std::string>& all, const std::string& one);

/// The sticks, the stages and the peers, in the order they are shown.
std::vector<Subject> all_subjects();

/// So many connections has the largest case, where a process may have that many files, and one for each thousand that
/// it may have where these are fewer.
inline constexpr std::size_t connections_wanted = 50'000;
std::size_t most_connections(std::size_t files);

/// All cases; those with --quick have fewer connections, less time and fewer rounds. `files`: how many a process may
/// have open. Cases for which that is too few are there, too.
std::vector<Case> all_cases(bool quick, std::size_t files);

/// Whether a process that may have so many files open can have all its connections.
bool fits(const Case& what, std::size_t files);

/// Whether the case is for this server.
bool is_for(const Case& what, const Subject& subject);

/// How it is started for this case.
std::vector<std::string> command_of(const Case& what, const Subject& subject);

/// The load that this server gets in this case.
Plan plan_for(const Case& what, const Subject& subject);

}  // namespace bench
