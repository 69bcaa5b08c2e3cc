// What a supervisor answers to requests: handle_call in supervisor.erl. A request without an `answer` for it would not
// compile.

#include "04_supervised/otp/supervisor.hpp"

#include <ranges>
#include <utility>

namespace otp {

using Code = RequestError::Code;

void Supervisor::process(const Request& message) {
    if (over_) return reply(message.id, RequestError{Code::noproc});
    std::visit([&](const auto& request) { answer(message.id, request); }, message.body);
}

void Supervisor::answer(RequestId id, const StartChildRequest& request) {
    ChildSpec spec = request.spec;
    if (dynamic()) {
        if (flags_.max_children && children_.size() >= *flags_.max_children) {
            return reply(id, RequestError{Code::max_children});
        }
        spec = template_;
        if (request.spec.argument.has_value()) spec.argument = request.spec.argument;
    } else if (const auto checked = check_childspec(spec, flags_); !checked) {
        return reply(id, RequestError{Code::invalid_spec, undefined, checked.error()});
    } else if (const auto present = find(spec.id)) {
        const Entry& child = at(*present);
        const bool has_process = child.state != ChildState::undefined && child.state != ChildState::restarting;
        return reply(
            id, has_process ? RequestError{Code::already_started, child.pid, {}} : RequestError{Code::already_present});
    }
    operation_ = Operation{.kind = Operation::Kind::start_child, .request = id};
    operation_->to_start.push_back(add(std::move(spec)));
    advance();
}

void Supervisor::answer(RequestId id, const TerminateChildRequest& request) {
    std::optional<Position> position;
    if (const auto* child_id = std::get_if<ChildId>(&request.child)) {
        if (dynamic()) return reply(id, RequestError{Code::simple_one_for_one});
        position = find(*child_id);
    } else if (dynamic()) {
        const Pid pid = std::get<Pid>(request.child);
        position = find(pid);
        // To stop a child that is gone already succeeds.
        if (!position && pid != undefined && pid < next_pid_) return reply(id, Done{});
    }
    if (!position) return reply(id, RequestError{Code::not_found});
    operation_ = Operation{.kind = Operation::Kind::terminate_child, .request = id, .child = *position};
    operation_->to_stop.push_back(*position);
    advance();
}

boost::system::result<Supervisor::Position, RequestError::Code> Supervisor::ended_child(const ChildId& id) {
    if (dynamic()) return Code::simple_one_for_one;
    const auto position = find(id);
    if (!position) return Code::not_found;
    const ChildState state = at(*position).state;
    if (state == ChildState::restarting) return Code::restarting;
    if (state != ChildState::undefined) return Code::running;
    return *position;
}

void Supervisor::answer(RequestId id, const RestartChildRequest& request) {
    const auto position = ended_child(request.id);
    if (!position) return reply(id, RequestError{position.error()});
    operation_ = Operation{.kind = Operation::Kind::restart_child, .request = id};
    operation_->to_start.push_back(*position);
    advance();
}

void Supervisor::answer(RequestId id, const DeleteChildRequest& request) {
    const auto position = ended_child(request.id);
    if (!position) return reply(id, RequestError{position.error()});
    remove(*position);
    reply(id, Done{});
}

void Supervisor::answer(RequestId id, const WhichChildrenRequest&) {
    reply(id, which_children());
}
void Supervisor::answer(RequestId id, const CountChildrenRequest&) {
    reply(id, count_children());
}

std::vector<ChildInfo> Supervisor::which_children() const {
    std::vector<ChildInfo> infos;
    for (const auto& entry : std::views::reverse(children_)) {
        const Entry& child = entry.second;
        infos.push_back({.id = child.spec.id,
                         .pid = child.pid,
                         .label = child.label,
                         .type = child.spec.type,
                         .state = child.state,
                         .restarts = child.restarts,
                         .since = child.since});
    }
    return infos;
}

ChildCounts Supervisor::count_children() const {
    ChildCounts counts;
    counts.specs = dynamic() ? 1 : children_.size();
    for (const auto& [position, child] : children_) {
        counts.active += child.state == ChildState::running || child.state == ChildState::stopping;
        (child.spec.type == ChildType::worker ? counts.workers : counts.supervisors) += 1;
    }
    return counts;
}

std::optional<ChildSpec> Supervisor::get_childspec(const ChildId& id) const {
    ChildSpec spec;
    if (dynamic() && id == template_.id) {
        spec = template_;
    } else if (const auto position = find(id)) {
        spec = children_.at(*position).spec;
    } else {
        return {};
    }
    spec.shutdown = spec.effective_shutdown();
    return spec;
}

void Supervisor::reply(RequestId request, Answer answer) {
    actions_.push_back(Reply{request, std::move(answer)});
}

}  // namespace otp
