#include "supervisor/generator.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace {

struct Branch {
    std::string name;
    bool dynamic = false, significant_allowed = false;
    std::vector<std::string> workers{}, supervisors{};
    std::string template_restart{};
};

class Generator {
public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    std::string make() {
        tree("root", 0, "");
        for (int step = 0, steps = 3 + below(12); step < steps; ++step) add_step(10 * (step + 1));
        return tree_ + script_;
    }

private:
    // Not std::uniform_int_distribution: a seed means the same scenario with every library.
    int below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }
    bool chance(int percent) { return below(100) < percent; }
    template <class T>
    const T& one_of(const std::vector<T>& values) {
        return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))];
    }
    std::string restart() { return one_of<std::string>({"permanent", "permanent", "transient", "temporary"}); }
    std::string reason() {
        return one_of<std::string>({"boom", "boom", "crash", "killed", "normal", "shutdown", "shutdown:drained"});
    }

    void tree(const std::string& name, int depth, const std::string& child_options) {
        Branch supervisor{.name = name, .dynamic = chance(depth == 0 ? 15 : 35)};
        const std::string drawn =
            one_of<std::string>({"never", "never", "never", "any_significant", "all_significant"});
        const std::string mode = supervisor.dynamic ? "never" : drawn;  // OTP 27 refuses any other for dynamic ones
        supervisor.significant_allowed = mode != "never";
        const std::string indent(static_cast<std::size_t>(4 * depth), ' ');
        tree_ += indent + "supervisor " + name + child_options + " strategy=" +
                 (supervisor.dynamic ? "simple_one_for_one"
                                     : one_of<std::string>({"one_for_one", "one_for_all", "rest_for_one"})) +
                 " intensity=" + std::to_string(below(5)) + " period=900000s auto_shutdown=" + mode + "\n";
        const int children = supervisor.dynamic ? 1 : 1 + below(4);
        for (int child = 0; child < children; ++child) {
            std::string kind = restart(), options = " restart=" + kind;
            if (supervisor.significant_allowed && kind != "permanent" && chance(60)) options += " significant=true";
            if (!supervisor.dynamic && depth < 2 && chance(25)) {
                const std::string sub = "s" + std::to_string(++names_);
                supervisor.supervisors.push_back(sub);
                tree(sub, depth + 1, options);
                continue;
            }
            const std::string id = "w" + std::to_string(++names_);
            supervisor.template_restart = kind;
            supervisor.workers.push_back(id);
            if (chance(12)) {
                options += " shutdown=10ms";
                script_ += id + " refuses to stop\n";
            } else {
                options += one_of<std::string>({"", " shutdown=infinity", " shutdown=brutal_kill"});
                if (chance(15)) {
                    script_ += id + " stops with " + one_of<std::string>({"normal", "shutdown:drained", "slow"}) + "\n";
                }
                if (!supervisor.dynamic) stoppable_.push_back(id);
            }
            if (!supervisor.dynamic && chance(4)) script_ += id + " fails 1 starts broken\n";
            if (!supervisor.dynamic && chance(6)) script_ += id + " ignores 1 starts\n";
            tree_ += indent + "    worker " + id + options + "\n";
        }
        supervisors_.push_back(supervisor);
    }

    std::string life(const std::string& id, int from) { return id + "#" + std::to_string(from + below(4)); }

    // A child of this supervisor; now and then somebody else.
    std::string child_of(const Branch& supervisor) {
        if (chance(8)) return "nobody";
        if (supervisor.dynamic) return chance(85) ? life(supervisor.workers[0], 1) : supervisor.workers[0];
        std::vector<std::string> all = supervisor.workers;
        all.insert(all.end(), supervisor.supervisors.begin(), supervisor.supervisors.end());
        return one_of(all);
    }

    std::string request(Branch& supervisor) {
        const std::string who = supervisor.name + " ";
        switch (below(supervisor.dynamic ? 8 : 7)) {
            case 0: return who + "terminate_child " + child_of(supervisor);
            case 1: return who + "restart_child " + child_of(supervisor);
            case 2: return who + "delete_child " + child_of(supervisor);
            case 3: return who + "which_children";
            case 4: return who + "count_children";
            case 5: return who + "terminate_child " + child_of(supervisor);
            default: break;
        }
        if (supervisor.dynamic) return who + "start_child";
        std::string id;
        if (!supervisor.workers.empty() && chance(40)) {
            id = one_of(supervisor.workers);
        } else {
            id = "w" + std::to_string(++names_);
            supervisor.workers.push_back(id);
            if (chance(20)) script_ += id + " fails 1 starts broken\n";
        }
        return who + "start_child worker " + id + " restart=" + restart() + (chance(15) ? " significant=true" : "");
    }

    std::string exit(const Branch& supervisor) {
        const std::string& id = one_of(supervisor.workers);
        return (supervisor.dynamic || chance(10) ? life(id, 1) : id) + " exits " + reason();
    }

    void add_step(int second) {
        Branch& supervisor = supervisors_[static_cast<std::size_t>(below(static_cast<int>(supervisors_.size())))];
        const std::string at = "at " + std::to_string(second) + "s: ";
        if (supervisor.workers.empty()) {
            script_ += at + request(supervisor) + "\n";
            return;
        }
        const std::string id = one_of(supervisor.workers);
        const int kind = below(100);
        if (supervisor.dynamic && kind < 45) {
            script_ += at + supervisor.name + " start_child\n";
            if (chance(50)) script_ += "at " + std::to_string(second + 1) + "s: " + supervisor.name + " start_child\n";
        } else if (kind < 40) {
            script_ += at + exit(supervisor) + "\n";
        } else if (kind < 55) {
            script_ += at + id + " fails " + std::to_string(1 + below(3)) + " starts " + "broken\n";
            script_ += at + exit(supervisor) + "\n";
        } else if (kind < 60) {
            if (supervisor.dynamic && supervisor.template_restart != "temporary") return;
            script_ += at + id + " ignores 1 starts\n" + at + exit(supervisor) + "\n";
        } else if (kind < 72 && supervisor.name == "root") {
            // While it starts again something else arrives, and waits.
            std::string event = chance(60) || supervisor.dynamic ? request(supervisor) : exit(supervisor);
            const std::string starting = life(id, 1);
            // In OTP nobody knows a pid before the start that makes it is over.
            if (event.ends_with(starting)) event = supervisor.name + " which_children";
            script_ += "when " + starting + " starts: " + event + "\n";
            script_ += at + exit(supervisor) + "\n";
        } else if (kind < 80 && !stoppable_.empty() && !supervisor.dynamic) {
            for (const std::string& stopped : supervisor.workers) {
                const bool fine = std::find(stoppable_.begin(), stoppable_.end(), stopped) != stoppable_.end();
                if (!fine || stopped == id) continue;
                script_ += "when " + life(stopped, 1) + " stops: " + id + " exits " + reason() + "\n";
                break;
            }
            script_ += at + exit(supervisor) + "\n";
        } else if (kind < 97) {
            script_ += at + request(supervisor) + "\n";
        } else {
            script_ += at + "root stop\n";
        }
    }

    std::mt19937_64 random_;
    std::vector<Branch> supervisors_;
    std::vector<std::string> stoppable_;  // who obeys
    std::string tree_, script_;
    int names_ = 0;
};

}  // namespace

std::string generate_scenario(std::uint64_t seed) {
    return Generator(seed).make();
}
