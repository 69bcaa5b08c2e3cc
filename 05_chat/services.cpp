#include "05_chat/services.hpp"

#include "04_supervised/otp/runtime/coroutine_child.hpp"
#include "04_supervised/otp/runtime/reports.hpp"
#include "app/events.hpp"

#include <boost/asio.hpp>

#include <ranges>

namespace chat {

namespace {

/// A supervisor wants to know why its child ended. A coroutine that returns has simply done its work.
net::awaitable<otp::Reason> with_a_reason(net::awaitable<void> work) {
    co_await std::move(work);
    co_return otp::Reason::normal();
}

}  // namespace

void Services::add(std::string_view name, Body body, std::function<void()> stop) {
    services_.push_back({name, std::move(body), std::move(stop)});
}

void Services::add(Door& door) {
    add(door.name(), [&door] { return door.accept(); }, [&door] { door.stop(); });
}

void Services::start(std::function<void()> give_up) {
    if (is_supervised_) return supervise(std::move(give_up));
    for (const Service& service : services_) {
        boost::asio::co_spawn(loop_, service.body(), [name = service.name](const std::exception_ptr& crash) {
            app::tell_crash({name}, crash);
        });
    }
}

void Services::supervise(std::function<void()> give_up) {
    std::vector<otp::ChildSpec> specs;
    for (const Service& service : services_) {
        const auto life = [body = service.body] { return with_a_reason(body()); };
        specs.push_back({.id = std::string(service.name), .argument = otp::coroutine_child(loop_, life, service.stop)});
    }
    const auto over = [this, give_up = std::move(give_up)](const otp::Reason&) {
        if (is_stopping_) return;
        has_given_up_ = true;
        for (const Service& service : std::views::reverse(services_)) service.stop();  // also the one that had ended
        give_up();
    };
    otp::Supervisor supervisor("chat", {.intensity = max_restarts}, specs);
    otp::tell_started(supervisor);
    supervisor_ = std::make_shared<otp::Runtime>(
        loop_, std::move(supervisor),
        otp::Runtime::Callbacks{.exited = over,
                                .report = [](const otp::Report& report) { otp::tell(report); },
                                .progress = [](const otp::Progress& progress) { otp::tell(progress); }});
    supervisor_->start();
}

void Services::stop() {
    if (std::exchange(is_stopping_, true)) return;
    if (supervisor_) {
        supervisor_->exit(otp::Reason::shutdown());
    } else {
        for (const Service& service : std::views::reverse(services_)) service.stop();
    }
}

std::string Services::tree() const {
    if (supervisor_) return supervisor_->tree(1);
    std::string lines;
    for (const Service& service : services_) lines += "    " + std::string(service.name) + "\n";
    return lines;
}

}  // namespace chat
