#include "etcd_case.hpp"

#include "results.hpp"

#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

namespace bench {

using std::chrono::steady_clock;

EtcdCase::EtcdCase(const Case& what, int server_core) : what_(what), core_(server_core) {
    const OnAllCores for_etcd;
    etcd_ = std::make_unique<support::Etcd>(support::Etcd::Options{.members = what.etcd, .beside = "/var/tmp"});
}

std::unique_ptr<Server> EtcdCase::start(const Subject& subject, const std::string& prefix, std::size_t node) const {
    const std::map<std::string, std::string> places{
        {"{etcd}", etcd_->urls()}, {"{prefix}", prefix}, {"{node}", "node" + std::to_string(node)}};
    std::vector<std::string> command = subject.command;
    for (std::string& word : command) {
        if (const auto place = places.find(word); place != places.end()) word = place->second;
    }
    command.insert(command.end(), {"--port", "0"});
    return std::make_unique<Server>(command, core_);
}

Report EtcdCase::measure(const Subject& subject, std::stop_token stop) {
    return what_.group == etcd_newcomer ? come(subject, std::move(stop)) : talk(subject, std::move(stop));
}

Report EtcdCase::talk(const Subject& subject, std::stop_token stop) {
    const std::string prefix = new_prefix();
    std::vector<std::unique_ptr<Server>> nodes;
    while (nodes.size() < what_.nodes) nodes.push_back(start(subject, prefix, nodes.size() + 1));
    Plan plan = plan_for(what_, subject);
    plan.port = nodes[0]->port();
    plan.server = nodes[0]->pid();
    for (std::size_t i = 1; i < nodes.size(); ++i) plan.more_nodes.push_back({nodes[i]->port(), nodes[i]->pid()});
    if (what_.group != etcd_leader) return run(plan, stop);

    const std::size_t leader = etcd_->leader();
    plan.outage = [&] { etcd_->kill(leader); };
    const Report report = run(plan, stop);
    nodes.clear();
    const OnAllCores for_etcd;
    etcd_->start(leader);
    etcd_->wait_until_healthy(leader);
    return report;
}

Report EtcdCase::come(const Subject& subject, std::stop_token stop) {
    auto old = old_.find(subject.name);
    if (old == old_.end()) {
        Old made{.prefix = new_prefix(), .node = nullptr, .lines = 0};
        made.node = start(subject, made.prefix, 1);
        Plan plan = plan_for(what_, subject);
        plan.port = made.node->port();
        plan.server = made.node->pid();
        if (plan.enough > 0) made.lines = run(plan, stop).messages;
        old = old_.emplace(subject.name, std::move(made)).first;
    }
    if (stop.stop_requested()) throw Interrupted();
    const auto since = steady_clock::now();
    const auto newcomer = start(subject, old->second.prefix, static_cast<std::size_t>(2 + newcomers_++));
    Report report;
    report.seconds = std::chrono::duration<double>(steady_clock::now() - since).count();
    report.server_cpu = std::chrono::duration<double>(cpu_time(newcomer->pid())).count();
    report.messages = old->second.lines;
    return report;
}

}  // namespace bench
