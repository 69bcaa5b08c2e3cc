#include "support/etcd.hpp"

#include "support/client.hpp"

#include <algorithm>
#include <fstream>
#include <random>
#include <system_error>

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

namespace support {

namespace {

/// How long a member that is paused, or very busy, is asked.
constexpr std::chrono::milliseconds patience_for_one{500};

/// How often other ports are tried where somebody has taken one meanwhile.
constexpr int attempts = 5;

/// A port that nobody has now. etcd cannot take one by itself (port 0): its gateway asks itself at the port it was
/// told. Not one of those that the system gives to connections, or a member that is started again might find it taken.
std::uint16_t free_port() {
    static std::mt19937 random{std::random_device()()};
    for (;;) {
        const auto port = static_cast<std::uint16_t>(10'000 + random() % 22'000);
        const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return port;
    }
}

std::string name_of(std::size_t member) {
    return "member" + std::to_string(member + 1);
}

std::string on_loopback(const std::string& scheme, std::uint16_t port) {
    return scheme + "://127.0.0.1:" + std::to_string(port);
}

std::filesystem::path new_directory(const std::filesystem::path& beside) {
    std::string path = ((beside.empty() ? std::filesystem::temp_directory_path() : beside) / "etcd-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path);
    return path;
}

}  // namespace

Etcd::Etcd(const Options& options) : options_(options), directory_(new_directory(options.beside)) {
    members_.resize(options.members);
    for (int attempt = 1;; ++attempt) {
        try {
            start_all();
            return;
        } catch (const Failure&) {
            if (attempt < attempts && one_has_ended()) continue;  // its port was taken, perhaps
            std::filesystem::remove_all(directory_);
            throw;
        }
    }
}

Etcd::~Etcd() {
    for (Member& member : members_) member.program.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void Etcd::start_all() {
    choose_ports();
    for (std::size_t member = 0; member < members(); ++member) start(member);
    for (std::size_t member = 0; member < members(); ++member) wait_until_healthy(member);
}

bool Etcd::one_has_ended() {
    return std::any_of(members_.begin(), members_.end(),
                       [](const Member& member) { return !member.program->process().is_running(); });
}

void Etcd::choose_ports() {
    for (Member& member : members_) {
        member.program.reset();
        member.client_port = free_port();
        member.peer_port = free_port();
        member.metrics_port = free_port();
    }
    for (std::size_t member = 0; member < members(); ++member) {
        std::filesystem::remove_all(directory_ / name_of(member));
    }
}

void Etcd::start(std::size_t member) {
    std::string cluster;
    for (std::size_t i = 0; i < members(); ++i) {
        cluster += (i > 0 ? "," : "") + name_of(i) + "=" + on_loopback("http", members_[i].peer_port);
    }
    Member& it = members_.at(member);
    const std::string for_peers = on_loopback("http", it.peer_port);
    Command command{.words = {"etcd", "--name", name_of(member)}};
    const auto option = [&](const std::string& name, const std::string& value) {
        command.words.insert(command.words.end(), {name, value});
    };
    option("--data-dir", (directory_ / name_of(member)).string());
    option("--listen-client-urls", url(member));
    option("--advertise-client-urls", url(member));
    option("--listen-peer-urls", for_peers);
    option("--initial-advertise-peer-urls", for_peers);
    option("--initial-cluster", cluster);
    option("--initial-cluster-token", directory_.filename().string());
    option("--listen-metrics-urls", on_loopback("http", it.metrics_port));  // without TLS, whatever the clients speak
    command.words.insert(command.words.end(), options_.flags.begin(), options_.flags.end());
    it.program.reset();
    it.program = std::make_unique<Program>(command);
}

std::string Etcd::url(std::size_t member) const {
    return on_loopback(options_.scheme, port(member));
}

std::string Etcd::urls() const {
    std::string all;
    for (std::size_t member = 0; member < members(); ++member) all += (member > 0 ? "," : "") + url(member);
    return all;
}

/// All of it stands still when this returns: the kernel stops one thread after the other.
void Etcd::pause(std::size_t member) {
    process(member).signal(SIGSTOP);
    const auto is_stopped = [&] {
        std::ifstream file("/proc/" + std::to_string(process(member).pid()) + "/stat");
        std::string stat;
        std::getline(file, stat);
        return stat.find(") T ") != std::string::npos;
    };
    if (!eventually(is_stopped)) throw Failure(name_of(member) + " does not stop");
}

void Etcd::kill(std::size_t member) {
    process(member).signal(SIGKILL);
    process(member).wait_exit();
}

/// What its port for metrics says; nothing where it says nothing yet.
std::string Etcd::get(std::size_t member, const std::string& path) {
    if (!process(member).is_running()) {
        throw Failure(name_of(member) + " has ended: " + members_[member].program->errors());
    }
    try {
        Client client(members_[member].metrics_port);
        client.send("GET " + path + " HTTP/1.0\r\n\r\n");
        if (client.has_news(patience_for_one)) return client.recv_until_close();
    } catch (const std::system_error&) {
        // Nobody listens there yet.
    }
    return "";
}

void Etcd::wait_until_healthy(std::size_t member) {
    const auto is_healthy = [&] { return get(member, "/health").find(R"("health":"true")") != std::string::npos; };
    if (!eventually(is_healthy, 3 * patience())) throw Failure(name_of(member) + " does not get well");
}

std::size_t Etcd::leader() {
    std::size_t found = 0;
    const auto is_found = [&] {
        for (found = 0; found < members(); ++found) {
            if (!process(found).is_running()) continue;
            if (get(found, "/metrics").find("\netcd_server_is_leader 1\n") != std::string::npos) return true;
        }
        return false;
    };
    if (!eventually(is_found)) throw Failure("no member of etcd leads the others");
    return found;
}

}  // namespace support
