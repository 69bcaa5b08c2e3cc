// The load on one server, by hand: `load --port 1234 -c 100 -d 16` against whatever echoes there, or with
// `--kind chat --senders 4` against a room.
#include "load.hpp"
#include "results.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

using namespace bench;

int main(int argc, char** argv) {
    CLI::App app{"Puts a load on a server, checks every byte of its answers, and prints what it measured as JSON"};
    Plan plan;
    pid_t pid = 0;
    bool raw = false;
    std::size_t warm_up = 200, milliseconds = 1000, patience = 10000;
    app.add_option("--port", plan.port, "of the server, on 127.0.0.1")->required();
    app.add_option("--kind", plan.kind, "echo, churn (connect, one message, close), idle or chat")
        ->transform(CLI::CheckedTransformer(std::map<std::string, Kind>{
            {"echo", Kind::echo}, {"churn", Kind::churn}, {"idle", Kind::idle}, {"chat", Kind::chat}}));
    app.add_flag("--raw", raw, "the server echoes plainly (--packet raw); otherwise it answers lines with ECHO");
    app.add_option("-c,--connections", plan.connections)->capture_default_str();
    app.add_option("-s,--size", plan.size, "bytes of a message, its line feed included")->capture_default_str();
    app.add_option("-d,--depth", plan.depth, "messages in flight on a connection")->capture_default_str();
    app.add_option("--senders", plan.senders, "of a chat: how many of the connections speak")->capture_default_str();
    app.add_option("--deaf", plan.deaf, "of a chat: members more, who never read")->capture_default_str();
    app.add_option("--rooms", plan.rooms, "of a chat: that members and senders are dealt out to")
        ->capture_default_str();
    app.add_option("--pid", pid, "the server's process: whose CPU time and memory to read");
    app.add_option("--warm-up", warm_up, "milliseconds before measuring")->capture_default_str();
    app.add_option("--measure", milliseconds, "milliseconds")->capture_default_str();
    app.add_option("--patience", patience, "milliseconds without any answer after which the run has failed")
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    plan.lines = !raw;
    plan.warm_up = std::chrono::milliseconds(warm_up);
    plan.measured = std::chrono::milliseconds(milliseconds);
    plan.patience = std::chrono::milliseconds(patience);
    if (pid > 0) plan.server = pid;
    try {
        std::cout << to_json(run(plan, {})) << '\n';
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
