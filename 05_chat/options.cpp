#include "05_chat/options.hpp"

#include "04_supervised/process/worker_process.hpp"
#include "05_chat/link/message.hpp"

#include "app/text.hpp"

#include <algorithm>
#include <array>

#include <unistd.h>

namespace chat {

namespace {

/// Characters of an Erlang atom, and bytes of a node's name.
constexpr std::size_t max_atom = 255;

constexpr const char* again_option = "--again";

/// A wrong value, or so much of it that one can see which.
std::string shown(const std::string& value) {
    constexpr std::size_t most = 40;
    return value.size() <= most ? value : value.substr(0, most).append("...");
}

/// Whether all of it is printable UTF-8.
bool is_printable(std::string_view text) {
    while (const auto character = app::text::take_utf8(text)) {
        if (app::text::is_control(*character)) return false;
    }
    return text.empty();
}

/// NAME or NAME@HOST.
bool is_sname(std::string_view text) {
    const bool is_one_at_most = std::count(text.begin(), text.end(), '@') <= 1;
    return is_one_at_most && !text.starts_with('@') && !text.ends_with('@') && text.size() <= max_atom &&
           text.find(' ') == text.npos && is_printable(text);
}

/// Whether a process may be registered as this. net_kernel is another process, and undefined means that there is none.
bool is_process_name(std::string_view text) {
    const auto is_first_byte = [](char byte) { return (byte & 0xC0) != 0x80; };
    const auto characters = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_first_byte));
    return text != "net_kernel" && text != "undefined" && characters <= max_atom && is_printable(text);
}

/// Whether etcd's keys, or a part of them, can be called this.
bool is_key_part(std::string_view text) {
    return !text.starts_with('/') && !text.ends_with('/') && text.size() <= max_atom && text.find(' ') == text.npos &&
           is_printable(text);
}

enum class EngineName { local, etcd };

/// What means nothing without --engine etcd.
constexpr std::array of_etcd{"--etcd",      "--etcd-prefix", "--node-name", "--etcd-ca",
                             "--etcd-cert", "--etcd-key",    "--workers"};

/// What means nothing without --workers.
constexpr std::array of_workers{"--watchdog-ms", "--max-restarts", "--max-seconds", "--shutdown-timeout"};

}  // namespace

/// --engine etcd and what goes with it, as it was typed.
struct Options::EtcdTexts {
    EngineName engine = EngineName::local;
    std::string members = "http://127.0.0.1:2379";
    etcd::Reach reach;
};

void Options::read_etcd(const app::CommandLine& line, const EtcdTexts& given) {
    if (given.engine == EngineName::local) {
        for (const std::string option : of_etcd) {
            if (line.was_given(option)) line.usage_error(option + " needs --engine etcd");
        }
        return;
    }
    etcd = given.reach;
    auto& [members, prefix, node_name, waits, ca, cert, key] = *etcd;
    const auto urls = parse_etcd_urls(given.members);
    if (!urls) {
        line.usage_error("--etcd: " + shown(given.members) +
                         ": http://HOST:PORT or https://HOST:PORT is allowed, and several with commas between");
    }
    members = *urls;
    const bool is_secure = std::ranges::any_of(members, &EtcdUrl::is_secure);
    if (is_secure && etcd::lacks_tls()) line.usage_error("--etcd: https: this program was built without OpenSSL");
    if (!is_secure && !(ca + cert + key).empty()) {
        line.usage_error("--etcd-ca, --etcd-cert and --etcd-key are for an --etcd that begins with https://");
    }
    if (cert.empty() != key.empty()) line.usage_error("--etcd-cert and --etcd-key need each other");
    if (!is_key_part(prefix)) {
        line.usage_error("--etcd-prefix: " + shown(prefix) + ": at most " + std::to_string(max_atom) +
                         " bytes of text without spaces, and without / at its ends, is allowed");
    }
    if (node_name.empty()) node_name = etcd::default_node_name(worker > 0 ? ::getppid() : ::getpid());
    if (worker > 0) node_name += "-" + std::to_string(worker);
    waits = again;
    if (!is_key_part(node_name) || node_name.find('/') != node_name.npos) {
        line.usage_error("--node-name: " + shown(node_name) + ": at most " + std::to_string(max_atom) +
                         " bytes of text without spaces and / is allowed");
    }
}

void Options::parse_or_exit(int argc, char** argv, app::ServerOptions& server) {
    constexpr std::int64_t million = 1'000'000;
    constexpr std::int64_t mebi = 1 << 20;
    constexpr std::chrono::hours day{24};
    std::string join_text, cookie_text;
    std::uint16_t node_port_number = 0;

    arguments.assign(argv, argv + argc);
    app::CommandLine line("05_chat", "A chat room over telnet and over nodes, C++ and Erlang.");
    line.group("The room");
    line.number("--max-line", limits.max_line, 1, link::max_text, "Longest thing said, in bytes");
    line.number("--history", limits.history, 0, 10'000,
                "Things said that a newcomer is shown, as far as half of --max-backlog holds them");
    line.number("--max-people", limits.max_people, 1, million, "People in one room");
    line.number("--max-rooms", limits.max_rooms, 1, million, "Rooms");
    line.flag("--supervised", supervised,
              "Start doors and rooms anew where they throw; with --faults, try !throw door and !throw room");
    line.group("The people");
    line.number("--rate", session_limits.rate, 0, million,
                "Lines a second of one person, who is read no faster; 0: no limit");
    line.number("--burst", session_limits.burst, 1, million, "Lines at once, after a pause");
    line.seconds("--idle-timeout", session_limits.idle_timeout, day,
                 "Ask whoever is silent for so long, and then say goodbye; 0: never");
    line.number("--max-backlog", max_backlog, 64 * 1024, 1024 * mebi,
                "Cut off whoever is more than so many bytes behind in reading");
    line.number("--max-waiting", max_waiting, 64 * 1024, 1024 * mebi,
                "The same for all people and nodes together: whoever has taken nothing for longest goes first");
    line.seconds("--name-timeout", session_limits.name_timeout, day,
                 "Send away whoever gives no name for so long; 0: never");
    line.group("Other C++ nodes");
    line.number("--node-port", node_port_number, 0, 65535, "Let other nodes join there; 0 takes a free port");
    line.text("--join", join_text, "WHERE",
              "Put our people into the rooms of the node at HOST:PORT, or into a room on an Erlang node, "
              "chatroom@room1@host[:port]");
    line.flag("--rejoin", rejoin, "When that node is away, wait for it to come back");
    line.text("--link-secret-file", link_secret_file, "FILE",
              "What both nodes of a link must know. Without it, only nodes on this computer may join");
    line.number("--max-node-people", max_node_people, 1, million, "People of one other node");
    line.seconds("--handshake-timeout", handshake_timeout, day, "How long another node may take to introduce itself");
    line.group("Erlang and Elixir nodes");
    line.text("--sname", sname, "NAME", "Be the Erlang node NAME, or NAME@HOST");
    line.text("--cookie", cookie_text, "TEXT",
              "The secret of nodes that trust each other; without it, the one in ~/.erlang.cookie");
    line.text("--dist-host", dist_host, "HOST", "Where Erlang nodes find us: an address or a name");
    line.number("--dist-port", dist_port, 0, 65535, "And the port; 0 takes a free one");
    line.text("--register", registered, "NAME", "The name under which Erlang nodes find the lobby");
    EtcdTexts given;
    line.group("Rooms on many machines");
    line.choice("--engine", given.engine, std::array{"local", "etcd"},
                "Who orders what is said: this program, or an etcd for any number of nodes like this one");
    line.text("--etcd", given.members, "URLS", "The members of that etcd, with commas between");
    line.text("--etcd-prefix", given.reach.prefix, "TEXT", "What its keys begin with; other rooms have another");
    line.text("--node-name", given.reach.node_name, "NAME",
              "What this node is called; no other one is; without it, by computer and process id");
    line.text("--etcd-ca", given.reach.ca, "FILE", "Who vouches for an etcd that speaks https");
    line.text("--etcd-cert", given.reach.cert, "FILE", "Who vouches for this node there");
    line.text("--etcd-key", given.reach.key, "FILE", "And the key to that");
    line.number("--workers", workers, 0, 256,
                "Processes that share --port, each of them a node, NAME-1 and so on; 0: this one alone");
    line.number("--watchdog-ms", watchdog_ms, 0, 3'600'000,
                "End workers that do not answer for this long, in milliseconds; 0: never");
    line.number("--max-restarts", max_restarts, 0, million, "This many restarts are allowed...");
    line.number("--max-seconds", max_seconds, 1, 86'400, "...within this many seconds; one more, and it gives up");
    line.seconds("--shutdown-timeout", shutdown_timeout, day,
                 "How long the people of a worker that is replaced (SIGHUP) may stay");
    line.group("");
    line.number(process::worker_option, worker, 1, 1'000'000'000, "Which worker this is");
    line.flag(again_option, again, "It was up before");
    server.declare(line, false);
    line.parse_or_exit(argc, argv);

    if (max_waiting < max_backlog) {
        line.usage_error("--max-waiting: " + std::to_string(max_waiting) + " is less than one may be behind, " +
                         std::to_string(max_backlog) + ": raise it, or lower --max-backlog");
    }
    limits.history_bytes = max_backlog / 2;
    if (line.was_given("--cookie")) cookie = cookie_text;
    const std::string most = std::to_string(max_atom);
    if (cookie_text.size() > max_atom) line.usage_error("--cookie: at most " + most + " bytes are allowed");
    if (!is_sname(sname)) {
        line.usage_error("--sname: " + shown(sname) + ": NAME or NAME@HOST of at most " + most +
                         " bytes without spaces is allowed");
    }
    if (!is_process_name(registered)) {
        line.usage_error("--register: " + shown(registered) + ": a name of at most " + most +
                         " characters that no other process has is allowed");
    }
    if (line.was_given("--node-port")) node_port = node_port_number;
    if (!join_text.empty()) {
        if (join_text.find('@') == join_text.npos)
            join = parse_address(join_text);
        else
            join_erlang = parse_erlang_room(join_text);
        if (!join && !join_erlang) {
            line.usage_error("--join: " + join_text + ": HOST:PORT or chatroom@room1@host[:port] is allowed");
        }
    }
    const bool is_guest = join || join_erlang;
    if (is_guest && node_port)
        line.usage_error("--node-port is for the node that has the room, and --join for the others");
    if (join && !sname.empty()) line.usage_error("--sname is for the node that has the room: do not --join another");
    if (!link_secret_file.empty() && !join && !node_port) {
        line.usage_error("--link-secret-file needs --node-port, or --join HOST:PORT");
    }
    if (rejoin && !is_guest) line.usage_error("--rejoin needs --join");
    if (is_guest && given.engine == EngineName::etcd) {
        line.usage_error("--join is for the rooms of another node, and --engine etcd for rooms that all nodes have");
    }
    read_etcd(line, given);
    if (workers > 0) {
        if (node_port) line.usage_error("--workers: --node-port is one port, and the workers are many nodes");
        if (!sname.empty()) line.usage_error("--workers: --sname is one name, and the workers are many nodes");
    }
    for (const std::string option : of_workers) {
        if (workers == 0 && line.was_given(option)) line.usage_error(option + " needs --workers");
    }
    server.socket.max_packet = longest_typed;
}

std::vector<std::string> Options::arguments_of_worker(unsigned number, bool is_again) const {
    auto all = arguments;
    all.insert(all.end(), {process::worker_option, std::to_string(number)});
    if (is_again) all.emplace_back(again_option);
    return all;
}

}  // namespace chat
