#include "04_supervised/otp/spec.hpp"

#include <set>

namespace otp {

Check check_flags(const SupFlags& flags) {
    if (flags.intensity < 0) return "invalid_intensity: " + std::to_string(flags.intensity) + ", 0 or more is allowed";
    if (flags.period.count() <= 0) {
        return "invalid_period: " + std::to_string(flags.period.count()) + ", 1 s or more is allowed";
    }
    if (flags.max_children && flags.strategy != Strategy::simple_one_for_one) {
        return "bad_combination: max_children belongs to simple_one_for_one, not to " +
               std::string(to_string(flags.strategy));
    }
    if (flags.restart_delay.count() < 0) return "invalid_restart_delay: it is negative";
    return {};
}

Check check_childspec(const ChildSpec& spec, const SupFlags& flags) {
    if (spec.id.empty()) return "missing_id";
    if (spec.significant && flags.auto_shutdown == AutoShutdown::never) {
        return "bad_combination: " + spec.id + " is significant, but auto_shutdown is never";
    }
    if (spec.significant && spec.restart == Restart::permanent) {
        return "bad_combination: " + spec.id + " is significant, but permanent";
    }
    if (spec.shutdown && spec.shutdown->kind == Shutdown::Kind::timeout && spec.shutdown->time.count() < 0) {
        return "invalid_shutdown: " + to_string(*spec.shutdown);
    }
    return {};
}

Check check_childspecs(const std::vector<ChildSpec>& specs, const SupFlags& flags) {
    if (flags.strategy == Strategy::simple_one_for_one && specs.size() != 1) {
        return "bad_start_spec: simple_one_for_one has exactly one template, not " + std::to_string(specs.size());
    }
    std::set<ChildId> ids;
    for (const ChildSpec& spec : specs) {
        if (const auto checked = check_childspec(spec, flags); !checked) return checked;
        if (!ids.insert(spec.id).second) return "duplicate_child_name: " + spec.id;
    }
    return {};
}

std::string to_string(const Reason& reason) {
    switch (reason.kind) {
        case Reason::Kind::normal: return "normal";
        case Reason::Kind::shutdown: return reason.detail.empty() ? "shutdown" : "{shutdown, " + reason.detail + "}";
        case Reason::Kind::killed: return "killed";
        case Reason::Kind::abnormal: break;
    }
    return reason.detail;
}

std::string to_string(const Shutdown& shutdown) {
    switch (shutdown.kind) {
        case Shutdown::Kind::brutal_kill: return "brutal_kill";
        case Shutdown::Kind::infinity: return "infinity";
        case Shutdown::Kind::timeout: break;
    }
    return std::to_string(shutdown.time.count());
}

std::string_view to_string(Restart restart) {
    switch (restart) {
        case Restart::permanent: return "permanent";
        case Restart::transient: return "transient";
        case Restart::temporary: break;
    }
    return "temporary";
}

std::string_view to_string(ChildType type) {
    return type == ChildType::worker ? "worker" : "supervisor";
}

std::string_view to_string(Strategy strategy) {
    switch (strategy) {
        case Strategy::one_for_one: return "one_for_one";
        case Strategy::one_for_all: return "one_for_all";
        case Strategy::rest_for_one: return "rest_for_one";
        case Strategy::simple_one_for_one: break;
    }
    return "simple_one_for_one";
}

std::string_view to_string(AutoShutdown auto_shutdown) {
    switch (auto_shutdown) {
        case AutoShutdown::never: return "never";
        case AutoShutdown::any_significant: return "any_significant";
        case AutoShutdown::all_significant: break;
    }
    return "all_significant";
}

}  // namespace otp
