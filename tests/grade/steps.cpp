#include "grade/step.hpp"

namespace grade {

const std::vector<Step>& all_steps() {
    static const std::vector<Step> steps = [] {
        std::vector<Step> all;
        for (const auto part : {line_steps, company_steps, bad_client_steps, crowd_steps, chat_steps, budget_steps,
                                manner_steps, life_steps}) {
            for (auto& step : part()) all.push_back(std::move(step));
        }
        return all;
    }();
    return steps;
}

const std::vector<Target>& targets() {
    static const std::vector<std::string> options{"--port", "{port}", "--log", "quiet"};
    const auto ours = [](const std::string& program, const std::vector<std::string>& more = {}) {
        std::vector<std::string> command{program};
        command.insert(command.end(), options.begin(), options.end());
        command.insert(command.end(), more.begin(), more.end());
        return command;
    };
    static const std::vector<Target> all{
        {"01", "a line server for one client at a time", ours("01_naive"), ""},
        {"02", "a line server for several clients at once", ours("02_thread_per_client"), ""},
        {"03", "a line server for a thousand", ours("03_acceptor_pool"), ""},
        {"04", "a line server that survives its workers' crashes", ours("04_supervised", {"--faults"}), "!segv"},
        {"05", "a chat room at the text door", ours("05_chat", {"--rate", "0"}), ""},
        {"budget_chat", "a chat room in the dialect of Protohackers' problem 3", {}, ""},
    };
    return all;
}

}  // namespace grade
