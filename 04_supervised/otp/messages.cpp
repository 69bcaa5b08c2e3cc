#include "04_supervised/otp/messages.hpp"

#include "app/text.hpp"

namespace otp {
namespace {

// More of a reason or an id than this tells a reader nothing.
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

// An overload for each kind of answer: one without would not compile.
std::string in_words(const Done& done) {
    return done.pid == undefined ? "ok" : "ok, " + pid_text(done.pid, {});
}
std::string in_words(const std::vector<ChildInfo>& children) {
    std::string text = "[";
    for (const ChildInfo& child : children) {
        if (text.size() > 1) text += ", ";
        text += visible(child.id) + " " + std::string(to_string(child.state));
    }
    return text + "]";
}
std::string in_words(const ChildCounts& counts) {
    return "specs " + std::to_string(counts.specs) + ", active " + std::to_string(counts.active) + ", supervisors " +
           std::to_string(counts.supervisors) + ", workers " + std::to_string(counts.workers);
}
std::string in_words(const RequestError& error) {
    const std::string text = "error, " + std::string(to_string(error.code));
    return error.detail.empty() ? text : text + ": " + visible(error.detail);
}

std::string seconds_text(Duration duration) {
    const auto tenths = duration.count() / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

std::string_view to_string(Context context) {
    switch (context) {
        case Context::start_error: return "start_error";
        case Context::child_terminated: return "child_terminated";
        case Context::shutdown_error: return "shutdown_error";
        case Context::shutdown: break;
    }
    return "shutdown";
}

std::string_view to_string(ChildState state) {
    switch (state) {
        case ChildState::undefined: return "undefined";
        case ChildState::starting: return "starting";
        case ChildState::running: return "running";
        case ChildState::stopping: return "stopping";
        case ChildState::restarting: return "restarting";
        case ChildState::exited: break;
    }
    return "exited";
}

std::string_view to_string(RequestError::Code code) {
    using Code = RequestError::Code;
    switch (code) {
        case Code::not_found: return "not_found";
        case Code::running: return "running";
        case Code::restarting: return "restarting";
        case Code::already_started: return "already_started";
        case Code::already_present: return "already_present";
        case Code::simple_one_for_one: return "simple_one_for_one";
        case Code::max_children: return "max_children";
        case Code::invalid_spec: return "invalid_spec";
        case Code::start_failed: return "start_failed";
        case Code::noproc: break;
    }
    return "noproc";
}

std::string to_string(const Answer& answer) {
    return std::visit([](const auto& what) { return in_words(what); }, answer);
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

}  // namespace otp
