#include "05_chat/children.hpp"

#include "04_supervised/otp/runtime/coroutine_child.hpp"
#include "04_supervised/otp/runtime/reports.hpp"
#include "app/events.hpp"

#include <boost/asio.hpp>

#include <ranges>

namespace chat {

namespace {

/// A supervisor wants to know why; a coroutine that returns has simply done its work.
net::awaitable<supervision::Reason> with_a_reason(net::awaitable<void> work) {
    co_await std::move(work);
    co_return supervision::Reason::normal();
}

}  // namespace

void Children::add(std::string_view name, Body body, std::function<void()> stop) {
    children_.push_back({name, std::move(body), std::move(stop)});
}

void Children::start(std::function<void()> give_up) {
    if (is_supervised_) return supervise(std::move(give_up));
    for (const Child& child : children_) {
        boost::asio::co_spawn(loop_, child.body(),
                              [name = child.name](const std::exception_ptr& crash) { app::tell_crash({name}, crash); });
    }
}

void Children::supervise(std::function<void()> give_up) {
    std::vector<supervision::ChildSpec> specs;
    for (const Child& child : children_) {
        const auto life = [body = child.body] { return with_a_reason(body()); };
        specs.push_back(
            {.id = std::string(child.name), .argument = supervision::coroutine_child(loop_, life, child.stop)});
    }
    const auto over = [this, give_up = std::move(give_up)](const supervision::Reason&) {
        if (is_stopping_) return;
        has_given_up_ = true;
        for (const Child& child : std::views::reverse(children_)) child.stop();  // also the one that had ended
        give_up();
    };
    supervisor_ = std::make_shared<supervision::Driver>(
        loop_, supervision::Supervisor("chat", {.intensity = max_restarts}, specs),
        supervision::Driver::Listeners{
            .exited = over,
            .report = [](const supervision::Report& report) { supervision::tell(report); },
            .progress = [](const supervision::Progress& progress) { supervision::tell(progress); }});
    supervisor_->start();
}

void Children::stop() {
    if (std::exchange(is_stopping_, true)) return;
    if (supervisor_) {
        supervisor_->exit(supervision::Reason::shutdown());
    } else {
        for (const Child& child : std::views::reverse(children_)) child.stop();
    }
}

std::string Children::tree() const {
    if (supervisor_) return supervisor_->tree(1);
    std::string lines;
    for (const Child& child : children_) lines += "    " + std::string(child.name) + "\n";
    return lines;
}

}  // namespace chat
