#include "04_supervised/otp/messages.hpp"

#include "app/text.hpp"

namespace supervision {
namespace {

// More of a reason or an id than this tells nobody anything.
constexpr std::size_t shown_bytes = 200;

std::string visible(const std::string& bytes) {
    return app::text::visible(bytes, shown_bytes);
}

std::string pid_text(Pid pid, const std::string& label) {
    if (!label.empty()) return visible(label);
    return pid == undefined ? "undefined" : "<" + std::to_string(pid) + ">";
}

std::string offender_text(const Offender& offender) {
    const std::string who = "id=" + visible(offender.id);
    if (offender.nb_children > 0) return who + ",nb_children=" + std::to_string(offender.nb_children);
    return who + ",pid=" + pid_text(offender.pid, offender.label);
}

std::string seconds_text(Duration duration) {
    const auto tenths = duration.count() / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

std::string_view to_string(Context context) {
    constexpr std::string_view names[] = {"start_error", "child_terminated", "shutdown_error", "shutdown"};
    return names[static_cast<std::size_t>(context)];
}

std::string_view to_string(ChildState state) {
    constexpr std::string_view names[] = {"undefined", "starting", "running", "stopping", "restarting", "exited"};
    return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(RequestError::Code code) {
    constexpr std::string_view names[] = {
        "not_found",          "running",      "restarting",   "already_started", "already_present",
        "simple_one_for_one", "max_children", "invalid_spec", "start_failed",    "noproc"};
    return names[static_cast<std::size_t>(code)];
}

std::string to_string(const Answer& answer) {
    if (const auto* done = std::get_if<Done>(&answer)) {
        return done->pid == undefined ? "ok" : "ok, " + pid_text(done->pid, {});
    }
    if (const auto* children = std::get_if<std::vector<ChildInfo>>(&answer)) {
        std::string text = "[";
        for (const ChildInfo& child : *children) {
            if (text.size() > 1) text += ", ";
            text += visible(child.id) + " " + std::string(to_string(child.state));
        }
        return text + "]";
    }
    if (const auto* counts = std::get_if<ChildCounts>(&answer)) {
        return "specs " + std::to_string(counts->specs) + ", active " + std::to_string(counts->active) +
               ", supervisors " + std::to_string(counts->supervisors) + ", workers " + std::to_string(counts->workers);
    }
    const auto& error = std::get<RequestError>(answer);
    const std::string text = "error, " + std::string(to_string(error.code));
    return error.detail.empty() ? text : text + ": " + visible(error.detail);
}

std::string to_string(const Report& report) {
    const std::string text =
        "Supervisor: " + visible(report.supervisor) + ". Context: " + std::string(to_string(report.context)) +
        ". Reason: " + visible(to_string(report.reason)) + ". Offender: " + offender_text(report.offender) + ".";
    return report.note.empty() ? text : text + " " + visible(report.note) + ".";
}

std::string to_string(const Progress& progress) {
    return "Supervisor: " + visible(progress.supervisor) + ". Started: " + offender_text(progress.started) + ".";
}

std::string to_string(const ChildInfo& child, Time now) {
    return visible(child.id) + "  " + pid_text(child.pid, child.label) + "  " + std::string(to_string(child.state)) +
           "  " + std::to_string(child.restarts) + (child.restarts == 1 ? " restart" : " restarts") + "  for " +
           seconds_text(std::chrono::duration_cast<Duration>(now - child.since));
}

}  // namespace supervision
