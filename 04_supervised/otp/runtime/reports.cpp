#include "04_supervised/otp/runtime/reports.hpp"

#include "app/events.hpp"

#include <algorithm>

namespace otp {

namespace {

constexpr app::Who supervisor{"supervisor"};

/// With the pid as a number where it is an operating system's, so that JSON has a number too.
void with_pid(const Offender& offender, auto tell) {
    const auto& label = offender.label;
    if (!label.empty() && std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; })) {
        tell(std::stoll(label));
    } else if (!label.empty()) {
        tell(label);
    } else {
        tell(offender.pid == undefined ? "undefined" : "<" + std::to_string(offender.pid) + ">");
    }
}

}  // namespace

void tell(const Report& report) {
    with_pid(report.offender, [&](const auto& pid) {
        app::tell(supervisor, app::events::supervisor_report, report.supervisor, to_string(report.context),
                  to_string(report.reason), report.offender.id, pid, report.restarts);
    });
    if (report.context == Context::shutdown) {
        app::tell(supervisor, app::events::gives_up, report.supervisor, why_it_gives_up(report));
    }
}

std::string why_it_gives_up(const Report& report) {
    return report.note.substr(0, report.note.find(": giving up"));
}

void tell(const Progress& progress) {
    with_pid(progress.started, [&](const auto& pid) {
        app::tell(supervisor, app::events::supervisor_progress, progress.supervisor, progress.started.id, pid);
    });
}

void tell_detail(const Progress& progress) {
    with_pid(progress.started, [&](const auto& pid) {
        app::tell(supervisor, app::events::starts_child, progress.supervisor, progress.started.id, pid);
    });
}

void tell_started(const Supervisor& started) {
    const auto& flags = started.flags();
    app::tell(supervisor, app::events::supervisor_started, started.name(), to_string(flags.strategy), flags.intensity,
              flags.period.count());
}

}  // namespace otp
