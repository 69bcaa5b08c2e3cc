// Grades every server of the museum, and compares with the verdict that is recorded beside it.
//
//     build/tests/test_museum --update    records the verdicts, and the table in README.md, anew

#include "support/program.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <sstream>

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const fs::path museum = MUSEUM;      // the sources
const fs::path compiled = COMPILED;  // where the C++ pieces are built
bool updating = false;

/// How a language is run. The program must be in $PATH; none for what is compiled.
struct Language {
    std::string name, program;
};
const std::map<std::string, Language> languages{
    {".py", {"Python", "python3"}}, {".js", {"Node", "node"}}, {".exs", {"Elixir", "elixir"}},
    {".sh", {"socat", "socat"}},    {".cpp", {"C++", ""}},
};

struct Piece {
    fs::path path;
    std::string target;       // what it is graded as: the directory's name
    std::string description;  // its first line of comment
    std::vector<std::string> options;

    const Language& language() const { return languages.at(path.extension()); }
    bool is_reference() const { return path.stem().string().starts_with("reference_"); }
    std::string name() const { return target + "/" + path.filename().string(); }
    fs::path verdict_path() const { return fs::path(path) += ".verdict"; }

    std::vector<std::string> command() const {
        if (path.extension() == ".cpp") return {compiled / (target + "_" + path.stem().string()), "{port}"};
        const std::string program = path.extension() == ".sh" ? "bash" : language().program;
        return {program, path, "{port}"};
    }

    friend void PrintTo(const Piece& piece, std::ostream* out) { *out << piece.name(); }
};

std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> all;
    for (std::string word; stream >> word;) all.push_back(word);
    return all;
}

/// The text of a line of comment; "" for any other line.
std::string comment(const std::string& line) {
    for (const std::string_view mark : {"# ", "// "}) {
        if (line.starts_with(mark)) return line.substr(mark.size());
    }
    return "";
}

Piece read_piece(const fs::path& path) {
    Piece piece{path, path.parent_path().filename(), "", {}};
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    piece.description = comment(line);
    std::getline(file, line);
    constexpr std::string_view grade = "grade: ";
    if (comment(line).starts_with(grade)) piece.options = words(comment(line).substr(grade.size()));
    return piece;
}

const std::vector<Piece>& pieces() {
    static const std::vector<Piece> all = [] {
        std::vector<Piece> found;
        for (const auto& directory : fs::directory_iterator(museum)) {
            if (!directory.is_directory()) continue;
            for (const auto& file : fs::directory_iterator(directory)) {
                if (languages.contains(file.path().extension())) found.push_back(read_piece(file.path()));
            }
        }
        std::sort(found.begin(), found.end(), [](const Piece& a, const Piece& b) { return a.path < b.path; });
        return found;
    }();
    return all;
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// ---- verdicts -------------------------------------------------------------------------------------------------------

/// `text` without what differs from run to run.
std::string without_port(const std::string& text) {
    static const std::regex port(R"((127\.0\.0\.1|::1\])([: ])\d+)");
    return std::regex_replace(text, port, "$1$2PORT");
}

/// What the grader says of a server.
std::string verdict_in(const json::object& report) {
    const std::string verdict = json::value_to<std::string>(report.at("verdict"));
    std::string text = verdict;
    std::string advice;
    for (const auto& entry : report.at("steps").as_array()) {
        const auto& step = entry.as_object();
        const std::string name = json::value_to<std::string>(step.at("step"));
        if (const auto* reason = step.if_contains("reason"); reason != nullptr && verdict == "not decided") {
            text += " " + name + "\nreason: " + json::value_to<std::string>(*reason) + "\n";
        }
        if (step.at("verdict") != "failed") continue;
        if (!step.at("decides").as_bool()) {
            advice += " " + name;
            continue;
        }
        text += " " + name + "\n";
        for (const auto* const field : {"expected", "got", "server_ended", "hint"}) {
            if (const auto* value = step.if_contains(field); value != nullptr && !value->as_string().empty()) {
                text += std::string(field) + ": " + json::value_to<std::string>(*value) + "\n";
            }
        }
    }
    if (verdict == "pass") text += "\n" + (advice.empty() ? "" : "advice:" + advice + "\n");
    if (const auto* reason = report.if_contains("reason")) {
        text += "\nreason: " + json::value_to<std::string>(*reason) + "\n";
    }
    return without_port(text);
}

support::Finished grade(const std::string& target, const std::vector<std::string>& options,
                        const std::vector<std::string>& command) {
    support::Command grader{{support::path_of("grade"), target, "--json"}};
    grader.words.insert(grader.words.end(), options.begin(), options.end());
    if (!command.empty()) grader.words.push_back("--");
    grader.words.insert(grader.words.end(), command.begin(), command.end());
    constexpr int patience_of_one_run = 25;
    return support::run_to_end(grader, patience_of_one_run * support::patience());
}

/// The recorded text, where `<any>` stands for what may differ: what a race decides.
bool matches(std::string_view recorded, std::string_view got) {
    constexpr std::string_view any = "<any>";
    const auto part_end = recorded.find(any);
    if (part_end == recorded.npos) return recorded == got;
    if (!got.starts_with(recorded.substr(0, part_end))) return false;
    recorded.remove_prefix(part_end + any.size());
    const auto next = recorded.substr(0, recorded.find(any));
    for (auto at = got.find(next, part_end); at != got.npos; at = got.find(next, at + 1)) {
        if (matches(recorded, got.substr(at))) return true;
    }
    return false;
}

std::string name_of_piece(const testing::TestParamInfo<Piece>& info) {
    std::string name = info.param.target + "_" + info.param.path.stem().string() + "_" + info.param.language().name;
    std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_'; });
    return name;
}

class Museum : public testing::TestWithParam<Piece> {};
INSTANTIATE_TEST_SUITE_P(Piece, Museum, testing::ValuesIn(pieces()), name_of_piece);

TEST_P(Museum, GetsItsVerdict) {
    const Piece& piece = GetParam();
    ASSERT_FALSE(piece.description.empty()) << piece.name() << " does not say in its first line what is wrong with it";
    const auto& program = piece.language().program;
    if (!program.empty() && !support::is_installed(program)) GTEST_SKIP() << "there is no " << program << " here";
    const auto finished = grade(piece.target, piece.options, piece.command());
    ASSERT_EQ(finished.lines.size(), 1u) << finished.errors;
    const auto report = json::parse(finished.lines[0]).as_object();
    const std::string got = verdict_in(report);
    const std::map<std::string, int> exit_codes{{"pass", 0}, {"fail", 1}, {"not decided", 3}, {"could not run", 3}};
    EXPECT_EQ(finished.exit, support::exited(exit_codes.at(json::value_to<std::string>(report.at("verdict")))));
    // What is wrong is told, be it as advice; and a reference is right.
    if (piece.is_reference()) {
        EXPECT_EQ(report.at("verdict"), "pass") << got;
    } else {
        EXPECT_NE(got, "pass\n");
    }
    const std::string recorded = read_file(piece.verdict_path());
    if (matches(recorded, got)) return;
    if (updating) {
        std::ofstream(piece.verdict_path()) << got;
    } else {
        ADD_FAILURE() << piece.name() << "\nrecorded:\n" << recorded << "\ngot:\n" << got << "\n" << finished.lines[0];
    }
}

// ---- the table ------------------------------------------------------------------------------------------------------

constexpr std::string_view begin_mark = "<!-- table: begin -->\n";
constexpr std::string_view end_mark = "<!-- table: end -->\n";

std::string table() {
    std::string text = "| as | server | language | what is wrong | verdict |\n| --- | --- | --- | --- | --- |\n";
    for (const auto& piece : pieces()) {
        const std::string verdict = read_file(piece.verdict_path());
        text += "| " + piece.target + " | [`" + piece.path.filename().string() + "`](" + piece.name() + ") | " +
                piece.language().name + " | " + piece.description + " | " + verdict.substr(0, verdict.find('\n')) +
                " |\n";
    }
    return text;
}

TEST(MuseumTable, IsThatOfTheReadme) {
    const std::string readme = read_file(museum / "README.md");
    const auto begin = readme.find(begin_mark);
    const auto end = readme.find(end_mark);
    ASSERT_NE(begin, readme.npos);
    ASSERT_NE(end, readme.npos);
    const std::string wanted = readme.substr(0, begin + begin_mark.size()) + table() + readme.substr(end);
    if (updating) std::ofstream(museum / "README.md") << wanted;
    EXPECT_EQ(updating ? wanted : readme, wanted) << "the table is stale: build/tests/test_museum --update";
}

TEST(MuseumTable, HasEnough) {
    EXPECT_GE(std::count_if(pieces().begin(), pieces().end(), [](const Piece& piece) { return !piece.is_reference(); }),
              140);
}

// ---- our own --------------------------------------------------------------------------------------------------------

class OurStage : public testing::TestWithParam<std::tuple<std::string, int>> {};
INSTANTIATE_TEST_SUITE_P(Seed, OurStage,
                         testing::Combine(testing::Values("01", "02", "03", "04", "05"), testing::Values(1, 2, 3)));

TEST_P(OurStage, Passes) {
    const auto& [stage, seed] = GetParam();
    const auto finished = grade(stage, {"--strict", "--seed", std::to_string(seed)}, {});
    ASSERT_EQ(finished.lines.size(), 1u) << finished.errors;
    EXPECT_EQ(finished.exit, support::exited(0)) << verdict_in(json::parse(finished.lines[0]).as_object());
}

/// Nothing but system calls, and no telnet: what is required of stage 01 needs no more.
TEST(ByHand, PassesWhatIsRequiredOfTheNaiveServer) {
    const auto finished = grade("01", {}, {support::path_of("by_hand"), "{port}"});
    ASSERT_EQ(finished.lines.size(), 1u) << finished.errors;
    EXPECT_EQ(finished.exit, support::exited(0)) << verdict_in(json::parse(finished.lines[0]).as_object());
}

TEST(ByHand, SaysHowItIsUsed) {
    for (const std::vector<std::string>& wrong : {std::vector<std::string>{"70000"}, {"-1"}, {""}, {"x"}, {"1", "2"}}) {
        std::vector<std::string> words{support::path_of("by_hand")};
        words.insert(words.end(), wrong.begin(), wrong.end());
        const auto finished = support::run_to_end({words});
        EXPECT_EQ(finished.exit, support::exited(2));
        EXPECT_EQ(finished.errors, "usage: by_hand [PORT]\n");
    }
}

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    updating = argc > 1 && std::string(argv[1]) == "--update";
    return RUN_ALL_TESTS();
}
