#include "05_chat/engine/etcd/etcd.hpp"

#include "05_chat/engine/etcd/engine.hpp"
#include "05_chat/engine/etcd/gateway.hpp"
#include "05_chat/engine/etcd/process.hpp"

#include <array>

#include <unistd.h>

namespace chat::etcd {

namespace {

std::string names_of(const std::vector<EtcdUrl>& members) {
    std::string names;
    for (const EtcdUrl& member : members) names += (names.empty() ? "" : ",") + member.text;
    return names;
}

/// What the engine works with: made before it, and gone after it.
struct Parts {
    std::unique_ptr<Gateway> gateway;
    SteadyClock clock;
};

class RealEtcdEngine : private Parts, public EtcdEngine {
public:
    RealEtcdEngine(const net::Executor& executor, std::unique_ptr<Gateway> gateway, Settings settings)
        : Parts{std::move(gateway), SteadyClock(executor)},
          EtcdEngine(executor, *Parts::gateway, Parts::clock, settings),
          history_bytes_(settings.limits.history_bytes),
          tree_("    node " + settings.node + " of " + settings.prefix + ", over " + settings.etcd + "\n") {}

    net::awaitable<result<void, Why>> open() override {
        auto opened = co_await EtcdEngine::open();
        // A newcomer is sent all of the history at once, and would be cut off for being behind in reading it.
        if (const auto needed = house().limits.history_bytes; opened && needed > history_bytes_) {
            EtcdEngine::stop();
            co_return because("--max-backlog: these rooms need " + std::to_string(2 * needed) +
                              ", as their first node had, for what newcomers are shown");
        }
        co_return opened;
    }
    std::string tree() const override { return tree_; }

private:
    std::size_t history_bytes_;
    std::string tree_;
};

}  // namespace

std::string default_node_name(int process) {
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') host = {'n', 'o', 'd', 'e'};
    return std::string(host.data()) + "-" + std::to_string(process);
}

bool lacks_tls() {
    return !Tls::is_built();
}

result<std::unique_ptr<Engine>, Why> make_engine(const net::Executor& executor, const Reach& reach,
                                                 const Limits& limits, std::string_view lobby,
                                                 std::function<void(const std::string&)> give_up) {
    auto gateway = Gateway::make(executor, reach.members, {reach.ca, reach.cert, reach.key});
    if (!gateway) return gateway.error();
    Settings settings{.etcd = "etcd at " + names_of(reach.members),
                      .prefix = reach.prefix,
                      .node = reach.node_name,
                      .waits = reach.waits,
                      .limits = limits,
                      .lobby = std::string(lobby),
                      .process = this_process(),
                      .is_ended = has_ended,
                      .give_up = std::move(give_up)};
    return std::unique_ptr<Engine>(
        std::make_unique<RealEtcdEngine>(executor, std::move(*gateway), std::move(settings)));
}

}  // namespace chat::etcd
