#include "cases.hpp"

#include "results.hpp"

#include <algorithm>
#include <tuple>

namespace bench {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t usual_rounds = 9;
constexpr std::size_t more_rounds = 51;
constexpr std::size_t quick_rounds = 3;
constexpr std::size_t etcd_rounds = 5;
constexpr std::size_t growth_rounds = 3;    // what grows does so by more than noise is
constexpr std::size_t usual_most = 10'000;  // connections
constexpr std::size_t people_in_rooms = 1000;
constexpr std::size_t most_rooms = 1000;
constexpr std::size_t people_on_nodes = 40;
constexpr std::size_t etcd_line = 61;  // bytes, as in the measurements that chose etcd
// Said before a new node comes: nothing, less than a snapshot is made after (8 MiB of requests), and more.
constexpr std::uint64_t lines_before_newcomer[] = {0, 50'000, 200'000};

// The groups of a server that echoes.
const std::vector<std::string> echoes{"echo", "lines", "churn", "idle"};

std::string bytes(std::size_t count) {
    return count % 1024 == 0 ? std::to_string(count / 1024) + "K" : std::to_string(count) + "B";
}

// A case in the making: what differs from the usual is said word by word.
class Make {
public:
    Make(std::vector<Case>& cases, bool quick) : cases_(cases), quick_(quick) {}

    Case& load(const char* group, Kind kind, std::size_t connections, std::size_t size, std::size_t depth) {
        Plan plan;
        plan.kind = kind;
        plan.lines = std::string_view(group) != "echo";
        plan.connections = connections;
        plan.size = size;
        plan.depth = depth;
        // Short, so that what happens to the machine hits few of many; and a server is its stick's neighbour in time.
        plan.warm_up = 50ms;
        plan.measured = quick_ ? 150ms : 200ms;
        const std::string label = "c" + std::to_string(connections) + " " + bytes(size) +
                                  (kind == Kind::echo ? " d" + std::to_string(depth) : "");
        const std::size_t rounds = kind == Kind::idle ? 1 : quick_ ? quick_rounds : usual_rounds;
        cases_.push_back({.group = group, .label = label, .plan = plan, .rounds = rounds, .quick = false});
        if (rounds == usual_rounds) cases_.back().more_rounds = more_rounds;
        return cases_.back();
    }
    // Everybody in the room speaks, and waits for the own lines only.
    Case& etcd(const char* group, std::size_t etcd, std::size_t nodes, std::size_t members, std::size_t window) {
        Case& made = load(group, Kind::chat, members, etcd_line, window);
        made.etcd = etcd;
        made.nodes = nodes;
        made.plan.senders = members;
        made.plan.acknowledged = true;
        // A disk takes its time, now and then.
        made.plan.warm_up = quick_ ? 100ms : 300ms;
        made.plan.measured = quick_ ? 500ms : 1500ms;
        made.rounds = quick_ ? quick_rounds : etcd_rounds;
        made.more_rounds = quick_ ? 0 : etcd_rounds;
        made.label = "e" + std::to_string(etcd) + " n" + std::to_string(nodes) + " m" + std::to_string(members) + " w" +
                     std::to_string(window);
        return made;
    }
    Case& chat(std::size_t members, std::size_t senders, std::size_t window) {
        Case& made = load("chat", Kind::chat, members, 64, window);
        made.plan.senders = senders;
        made.label = "m" + std::to_string(members) + " s" + std::to_string(senders) + " w" + std::to_string(window);
        return made;
    }

private:
    std::vector<Case>& cases_;
    bool quick_;
};

void add_echo(Make& make) {
    make.load("echo", Kind::echo, 1, 64, 1).quick = true;
    make.load("echo", Kind::echo, 1, 64, 16);
    make.load("echo", Kind::echo, 1, 16384, 1);
    make.load("echo", Kind::echo, 100, 64, 1).peers = true;
    make.load("echo", Kind::echo, 1000, 64, 1);
    make.load("echo", Kind::echo, 100, 64, 16);
    make.load("echo", Kind::echo, 100, 1024, 1);
    make.load("echo", Kind::echo, 100, 1024, 16).quick = true;
    make.load("echo", Kind::echo, 100, 16384, 1).quick = true;
}

void add_lines(Make& make) {
    make.load("lines", Kind::echo, 1, 64, 1).quick = true;
    Case& usual = make.load("lines", Kind::echo, 100, 64, 1);
    usual.quick = usual.peers = true;
    make.load("lines", Kind::echo, 1000, 64, 1);
    Case& many = make.load("lines", Kind::echo, 10000, 64, 1);
    many.servers = {"raw_epoll", "03_acceptor_pool"};  // ten thousand threads take longer to come than to measure
    Case& deep = make.load("lines", Kind::echo, 100, 64, 16);
    deep.quick = deep.peers = true;
    make.load("lines", Kind::echo, 100, 64, 256).peers = true;
    make.load("lines", Kind::echo, 100, 16, 256);
}

/// What its clients pay where somebody looks on: a server that tells its story to nobody, and one under the observer.
/// Many packets in flight would be told together: here each is told by itself.
void add_watched(Make& make) {
    for (const std::size_t connections : {20, 100}) {
        Case& watched = make.load("watched", Kind::echo, connections, 64, 1);
        watched.servers = {"03 --log json", "03 + observer"};
        watched.quick = connections == 20;
    }
}

void add_churn_and_idle(Make& make, bool quick) {
    make.load("churn", Kind::churn, 1, 64, 1);
    Case& churn = make.load("churn", Kind::churn, 32, 64, 1);
    churn.quick = churn.peers = true;
    Case& idle = make.load("idle", Kind::idle, quick ? 1000 : 10000, 64, 1);
    idle.quick = idle.peers = true;
}

void add_chat(Make& make, bool quick) {
    for (const std::size_t members : {10, 100, 1000}) {
        for (const auto& [senders, window] : {std::pair{1, 1}, {4, 16}}) {
            Case& chat = make.chat(members, senders, window);
            chat.quick = members == 100;
            chat.peers = members == 100;
        }
    }
    Case& deaf = make.chat(100, 4, 16);
    deaf.plan.size = 1024;  // so that both are cut off, whatever the system keeps for them
    deaf.label += " 1K, 2 never read";
    deaf.servers = {"05_chat 256K", "05_chat 256K + 2 deaf"};
    deaf.trouble.deaf = 2;
    if (!quick) deaf.plan.measured = 1500ms;
}

void add_faults(Make& make, bool quick) {
    Case& thrown = make.load("faults", Kind::churn, 32, 64, 1);
    thrown.label += ", every 10th !throw";
    thrown.servers = {"03 --faults", "04 --faults"};
    thrown.trouble.throw_every = 10;
    Case& aborted = make.load("faults", Kind::echo, 100, 64, 1);
    aborted.label += ", !abort every second";
    aborted.servers = {"04 x 2", "04 x 2 + crashes"};
    aborted.trouble.abort_each = 1000ms;
    aborted.rounds = 3;
    if (!quick) {
        aborted.more_rounds = 3;
        aborted.plan.measured = 3000ms;
    }
}

void add_etcd(Make& make) {
    for (const std::size_t etcd : {1, 3}) {
        for (const auto& [nodes, members, window] :
             {std::tuple{1, 20, 1}, {1, 20, 16}, {1, 200, 1}, {1, 200, 16}, {2, 40, 1}, {2, 400, 1}}) {
            make.etcd("etcd", etcd, nodes, members, window).quick =
                etcd == 1 && nodes == 1 && members == 20 && window == 1;
        }
    }
    Case& killed = make.etcd(etcd_leader, 3, 1, 20, 1);
    killed.label += ", leader killed";
    killed.plan.measured = 3000ms;
    killed.more_rounds = 0;
    killed.plan.patience = 60s;
    for (const std::uint64_t lines : lines_before_newcomer) {
        Case& newcomer = make.etcd(etcd_newcomer, 1, 1, 200, 16);
        newcomer.label = std::to_string(lines) + " lines said";
        newcomer.plan.enough = lines;
        newcomer.plan.warm_up = 0ms;
        newcomer.plan.measured = 60s;
        newcomer.more_rounds = 0;
    }
}

// What becomes of a figure where there is more of something, where no other group has it already.
void add_growth(Make& make, std::size_t files) {
    const auto growing = [](Case& made) -> Case& {
        made.group = "growth";
        made.rounds = growth_rounds;
        made.more_rounds = 0;
        return made;
    };
    if (const std::size_t most = most_connections(files); most > usual_most) {
        Case& clients = growing(make.load("lines", Kind::echo, most, 64, 1));
        clients.servers = {"raw_epoll", "03_acceptor_pool"};
        // Time for each of them to be answered more than once.
        clients.plan.warm_up = 500ms;
        clients.plan.measured = 1000ms;
    }
    for (std::size_t rooms = 10; rooms <= most_rooms; rooms *= 10) {
        Case& spread = growing(make.chat(people_in_rooms, rooms, 1));
        spread.servers = {"05_chat"};
        spread.plan.rooms = rooms;
        spread.label += " r" + std::to_string(rooms);
    }
    Case& threads = growing(make.load("lines", Kind::echo, 100, 64, 1));
    threads.label += ", threads";
    threads.servers = {"03_acceptor_pool", "03 --threads 2", "03 --threads 4"};
    threads.rounds = usual_rounds;
    for (const std::size_t nodes : {1, 2, 4, 8}) {
        Case& shared = growing(make.etcd("etcd", 1, nodes, people_on_nodes, 1));
        shared.servers = {"raw_etcd", "05_chat on etcd"};
        shared.plan.measured = 1000ms;
    }
}

std::vector<Subject> all_peers() {
    const auto peer = [](std::string name, std::vector<std::string> command, std::string stick,
                         std::vector<std::string> groups, std::string version, Dialect dialect = Dialect::text) {
        return Subject{.name = std::move(name),
                       .command = std::move(command),
                       .sticks = {std::move(stick)},
                       .groups = std::move(groups),
                       .peer = true,
                       .dialect = dialect,
                       .version = std::move(version)};
    };
    const std::string here = PEERS;
    const std::string elixir = "elixir --version | tail -n 1";
    std::vector<Subject> peers{
        peer("Asio, a write a line", {"peer_asio_lines"}, "raw_epoll", {"lines"}, ""),
        peer("libuv", {"peer_uv"}, "raw_epoll", echoes, ""),
        peer("Go", {"peer_go"}, "raw_epoll", echoes, ""),
        peer("Node.js", {"node", here + "/echo.js"}, "raw_epoll", echoes, "node --version"),
        peer("Python asyncio", {"python3", here + "/echo.py"}, "raw_epoll", echoes, "python3 --version"),
        peer("Elixir", {"elixir", here + "/echo.exs"}, "raw_epoll", echoes, elixir),
        peer("socat", {"socat", "TCP4-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=1024", "PIPE"},
             "raw_epoll", {"echo"}, "socat -V | grep -m 1 version"),
        peer("Elixir room", {"elixir", here + "/room.exs"}, "raw_room", {"chat"}, elixir),
        peer("redis pub/sub",
             {"redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--protected-mode", "no", "--save", "",
              "--maxclients", "20000"},
             "raw_room", {"chat"}, "redis-server --version", Dialect::redis),
        peer("nats-server", {"nats-server", "--addr", "127.0.0.1", "--port", "{port}"}, "raw_room", {"chat"},
             "nats-server --version", Dialect::nats),
    };
    for (Subject& one : peers) {
        if (one.name == "socat") one.clients = 100;  // a process for each
        if (one.name == "libuv") one.package = "libuv1-dev";
        if (one.name == "Go") one.package = "golang-go";
        // Each member of a subject hears those who publish in the order that its own connection has them.
        if (one.dialect == Dialect::nats) one.speakers = 1;
    }
    return peers;
}

}  // namespace

bool contains(const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

std::vector<Subject> all_subjects() {
    // The server has one core: more than one thread or worker only take turns.
    const auto pool = [](const char* threads, std::initializer_list<std::string> more) {
        std::vector<std::string> command{"03_acceptor_pool", "--log", "quiet", "--threads", threads};
        command.insert(command.end(), more);
        return command;
    };
    const auto supervised = [](const char* workers, std::initializer_list<std::string> more) {
        std::vector<std::string> command{"04_supervised", "--log", "quiet", "--workers", workers};
        command.insert(command.end(), more);
        return command;
    };
    const auto chat = [](std::initializer_list<std::string> more) {
        // One more room is where all arrive.
        std::vector<std::string> command{
            "05_chat", "--log", "quiet", "--rate", "0", "--max-rooms", std::to_string(most_rooms + 1)};
        command.insert(command.end(), more);
        return command;
    };
    const auto backlog = {std::string("--max-backlog"), std::to_string(deaf_backlog)};
    std::vector<Subject> subjects{
        {.name = "raw_blocking", .command = {"raw_blocking"}, .sticks = {}, .groups = echoes, .clients = 1},
        {.name = "01_naive",
         .command = {"01_naive", "--log", "quiet"},
         .sticks = {"raw_blocking"},
         .groups = echoes,
         .clients = 1},
        {.name = "raw_threads", .command = {"raw_threads"}, .sticks = {}, .groups = echoes},
        {.name = "02_thread_per_client",
         .command = {"02_thread_per_client", "--log", "quiet"},
         .sticks = {"raw_threads"},
         .groups = echoes},
        {.name = "raw_epoll", .command = {"raw_epoll"}, .sticks = {}, .groups = echoes},
        {.name = "03_acceptor_pool", .command = pool("1", {}), .sticks = {"raw_epoll"}, .groups = echoes},
        {.name = "04_supervised",
         .command = supervised("1", {}),
         .sticks = {"raw_epoll", "03_acceptor_pool"},
         .groups = echoes},
        {.name = "raw_room", .command = {"raw_room"}, .sticks = {}, .groups = {"chat"}},
        {.name = "05_chat", .command = chat({}), .sticks = {"raw_room"}, .groups = {"chat"}},
        {.name = "05_chat 256K", .command = chat(backlog), .sticks = {}, .groups = {}},
        {.name = "05_chat 256K + 2 deaf",
         .command = chat(backlog),
         .sticks = {"05_chat 256K"},
         .groups = {},
         .troubled = true},
        {.name = "03 --faults", .command = pool("1", {"--faults"}), .sticks = {}, .groups = {}, .troubled = true},
        {.name = "03 --threads 2", .command = pool("2", {}), .sticks = {"03_acceptor_pool"}, .groups = {}},
        {.name = "03 --threads 4", .command = pool("4", {}), .sticks = {"03_acceptor_pool"}, .groups = {}},
        {.name = "04 --faults",
         .command = supervised("1", {"--faults"}),
         .sticks = {"03 --faults"},
         .groups = {},
         .troubled = true},
        {.name = "04 x 2", .command = supervised("2", {"--faults"}), .sticks = {}, .groups = {}},
        {.name = "04 x 2 + crashes",
         .command = supervised("2", {"--faults", "--max-restarts", "1000"}),
         .sticks = {"04 x 2"},
         .groups = {},
         .troubled = true},
    };
    const std::vector<std::string> tells_all{
        "{bin}/03_acceptor_pool", "--log", "json", "--threads", "1", "--port", "{port}", "--packet", "line"};
    Subject to_nowhere{
        .name = "03 --log json", .command = {"sh", "-c", "exec \"$@\" > /dev/null", "sh"}, .sticks = {}, .groups = {}};
    Subject observed{.name = "03 + observer",
                     .command = {"observer", "--port", "0", "--"},
                     .sticks = {to_nowhere.name},
                     .groups = {},
                     .watched = true};
    for (Subject* each : {&to_nowhere, &observed}) {
        each->command.insert(each->command.end(), tells_all.begin(), tells_all.end());
        subjects.push_back(std::move(*each));
    }
    const std::vector<std::string> at_etcd{"--etcd", "{etcd}", "--etcd-prefix", "{prefix}", "--node-name", "{node}"};
    std::vector<std::string> raw_etcd{"raw_etcd"}, chat_on_etcd = chat({"--engine", "etcd"});
    raw_etcd.insert(raw_etcd.end(), at_etcd.begin(), at_etcd.end());
    chat_on_etcd.insert(chat_on_etcd.end(), at_etcd.begin(), at_etcd.end());
    subjects.push_back({.name = "raw_etcd", .command = raw_etcd, .sticks = {}, .groups = {"etcd"}, .needs = "etcd"});
    subjects.push_back({.name = "05_chat on etcd",
                        .command = chat_on_etcd,
                        .sticks = {"raw_etcd"},
                        .groups = {"etcd", etcd_leader, etcd_newcomer},
                        .needs = "etcd"});
    for (Subject& peer : all_peers()) subjects.push_back(std::move(peer));
    return subjects;
}

std::size_t most_connections(std::size_t files) {
    const std::size_t free = files - std::min(files, spare_files);
    return std::min(connections_wanted, free / 1000 * 1000);
}

bool fits(const Case& what, std::size_t files) {
    return what.plan.connections + what.trouble.deaf + spare_files <= files;
}

std::vector<Case> all_cases(bool quick, std::size_t files) {
    // One of each kind that differs: a call for each message, one for many, connections that come and go, a room.
    const std::vector<std::string> counted{"echo c100 64B d1",    "lines c100 64B d1", "lines c100 64B d16",
                                           "lines c100 16B d256", "churn c32 64B",     "chat m10 s4 w16",
                                           "chat m100 s4 w16"};
    std::vector<Case> cases;
    Make make(cases, quick);
    add_echo(make);
    add_lines(make);
    add_watched(make);
    add_churn_and_idle(make, quick);
    add_chat(make, quick);
    add_faults(make, quick);
    add_growth(make, files);
    add_etcd(make);
    for (Case& one : cases) one.counted = !quick && contains(counted, one.group + " " + one.label);
    if (quick) std::erase_if(cases, [](const Case& one) { return !one.quick; });
    return cases;
}

bool is_for(const Case& what, const Subject& subject) {
    if (what.plan.connections > subject.clients || what.plan.senders > subject.speakers) return false;
    if (subject.peer && !what.peers) return false;
    if (!what.servers.empty()) return contains(what.servers, subject.name);
    return contains(subject.groups, what.group);
}

std::vector<std::string> command_of(const Case& what, const Subject& subject) {
    auto command = subject.command;
    const auto is_template = [](const std::string& word) { return word.find("{port}") != word.npos; };
    if (std::any_of(command.begin(), command.end(), is_template)) return command;
    command.insert(command.end(), {"--port", "0"});
    if (what.plan.kind != Kind::chat) command.insert(command.end(), {"--packet", what.plan.lines ? "line" : "raw"});
    return command;
}

Plan plan_for(const Case& what, const Subject& subject) {
    Plan plan = what.plan;
    plan.dialect = subject.dialect;
    if (subject.troubled) {
        plan.deaf = what.trouble.deaf;
        plan.throw_every = what.trouble.throw_every;
        plan.abort_each = what.trouble.abort_each;
    }
    return plan;
}

}  // namespace bench
