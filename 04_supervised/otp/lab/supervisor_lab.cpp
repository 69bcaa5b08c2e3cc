// supervisor_lab FILE: plays a scenario in virtual time, and prints what each supervisor of its tree does.

#include "04_supervised/otp/lab/scenario.hpp"
#include "04_supervised/otp/lab/simulator.hpp"
#include "net/error.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

constexpr int exit_wrong = 2;  // wrong usage, or a scenario with a mistake

constexpr const char* language = R"(A scenario, for example:

    supervisor root strategy=rest_for_one intensity=1 period=5s
        worker db
        worker web restart=transient shutdown=2s

    web refuses to stop                 # from the beginning
    at 1s: db exits boom
    at 2s: db fails 2 starts
    when db#3 starts: root terminate_child db
    at 9s: root stop

The tree comes first; children are indented below their supervisor. db#3 is the third life of db.
The whole language: 04_supervised/otp/lab/README.md; examples: 04_supervised/otp/lab/scenarios.
Exit status: 0 played; 2 wrong usage or scenario.)";

int wrong(const std::string& message) {
    std::cerr << message << std::endl;
    return exit_wrong;
}

/// The text of a file, or of standard input where it is "-". One byte more than allowed is enough to know that the text
/// is too long.
net::result<std::string> read(const std::string& file) {
    std::ifstream input;
    if (file != "-") input.open(file);
    std::istream& source = file == "-" ? std::cin : input;
    std::string text;
    for (char c = 0; text.size() <= lab::max_scenario_bytes && source.get(c);) text += c;
    const bool was_opened = file == "-" || input.is_open();
    if (!was_opened || source.bad()) return boost::system::error_code(errno, boost::system::system_category());
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App options{"Plays a tree of supervisors in virtual time and prints what each of them does, and why."};
    std::string file;
    options.add_option("FILE", file, "the scenario; - reads it from standard input")->required();
    options.set_version_flag("--version", FIVE_VERSION);
    options.footer(language);
    try {
        options.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return options.exit(error);
        return wrong("supervisor_lab: " + std::string(error.what()) + "; allowed: supervisor_lab FILE, --help");
    }

    const auto text = read(file);
    if (!text) return wrong("cannot read " + file + ": " + net::reason(text.error()));
    const auto scenario = lab::parse(*text);
    if (!scenario) return wrong(file + ":" + std::to_string(scenario.error().line) + ": " + scenario.error().message);

    lab::Simulator simulator(*scenario);
    simulator.run();
    for (const lab::TraceLine& line : simulator.trace()) std::cout << to_string(line) << "\n";
    std::cout << "\nThe tree in the end:\n" << simulator.tree() << std::flush;
    return 0;
}
