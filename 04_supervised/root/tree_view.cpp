#include "04_supervised/root/tree_view.hpp"

#include "app/story.hpp"

namespace supervised {

using namespace otp;

namespace {

std::string head_line(const Supervisor& root) {
    const auto& flags = root.flags();
    return root.name() + "  " + std::to_string(::getpid()) + "  " + std::string(to_string(flags.strategy)) +
           "  max_restarts " + std::to_string(flags.intensity) + " in " + std::to_string(flags.period.count()) + " s\n";
}

std::string without_ages(std::string_view tree) {
    std::string lines;
    while (!tree.empty()) {
        const auto line = tree.substr(0, tree.find('\n'));
        tree.remove_prefix(std::min(line.size() + 1, tree.size()));
        lines.append(line.substr(0, line.rfind("  for "))) += '\n';
    }
    return lines;
}

}  // namespace

void TreeView::show(const std::shared_ptr<Runtime>& supervisor) {
    is_wanted_ = true;
    show_changes(supervisor);
}

void TreeView::show_changes(const std::shared_ptr<Runtime>& supervisor) {
    supervisor_ = supervisor;
    again_ = is_asking_;
    if (!is_asking_) ask();
}

void TreeView::ask() {
    is_asking_ = true;
    for (const auto& child : supervisor_->supervisor().which_children()) {
        const auto worker = workers_.find(child.id);
        if (!worker) continue;
        asked_.insert(child.id);
        worker->send(process::Message::Kind::get_tree);
    }
    if (asked_.empty()) return print();
    timer_.expires_after(patience);
    timer_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && is_asking_) print();
    });
}

void TreeView::answered(const ChildId& id, const std::string& tree) {
    if (asked_.erase(id) == 0) return;
    inside_[id] = tree;
    if (asked_.empty()) print();
}

void TreeView::print() {
    timer_.cancel();
    const auto inside = [this](const ChildInfo& child) {
        const auto found = inside_.find(child.id);
        if (found != inside_.end()) return found->second;
        return asked_.contains(child.id) ? std::string("        (does not answer)\n") : std::string();
    };
    const auto tree = head_line(supervisor_->supervisor()) + supervisor_->tree(1, inside);
    const auto last = std::exchange(last_printed_, without_ages(tree));
    if (std::exchange(is_wanted_, false) || last_printed_ != last) app::story::show({"server"}, "tree", tree);
    asked_.clear();
    inside_.clear();
    is_asking_ = false;
    if (std::exchange(again_, false)) ask();
}

}  // namespace supervised
