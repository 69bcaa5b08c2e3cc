#pragma once

#include <array>
#include <chrono>
#include <string>
#include <vector>

/// The limits matrix: what each stage can and cannot do, as questions that are put to the running servers.
///
/// Every weakness must show at the stage that teaches it, and be gone at the stage that remedies it; so a stage is
/// asked in both directions, and docs/limits.md is what they answered.
namespace limits {

/// Who is asked: a stage; 05 as one process, and as workers over an etcd.
struct Server {
    const char* program;
    const char* title;          ///< of its column
    const char* test;           ///< the end of its tests' names
    bool is_over_etcd = false;  ///< in several processes
};
inline constexpr std::array<Server, 6> servers{{
    {"01_naive", "01", "01"},
    {"02_thread_per_client", "02", "02"},
    {"03_acceptor_pool", "03", "03"},
    {"04_supervised", "04", "04"},
    {"05_chat", "05", "05"},
    {"05_chat", "05 `--engine etcd --workers`", "05Workers", true},
}};

/// One of them is asked.
struct Trial {
    Server server;
    /// How long to wait for what would be the answer "yes".
    std::chrono::milliseconds wait;

    bool is_chat() const { return server.program == std::string("05_chat"); }
    bool is_supervised() const { return server.program == std::string("04_supervised") || server.is_over_etcd; }
};

/// Why nothing can be asked: the server does not come up, or answers nobody. That is no answer, least of all "no". It
/// is no std::exception, which a question may take for one.
struct NotAsked {
    std::string why;
};

/// What the matrix says of one stage.
enum class Answer { yes, no, not_asked };

struct Property {
    std::string name;  ///< of its tests
    std::string text;  ///< its row in docs/limits.md: what holds where the answer is yes
    std::string why;   ///< what makes the difference, in one sentence
    /// Puts the question to a server that it starts itself. A server that breaks in any way has answered no; one that
    /// has never worked, nothing: NotAsked.
    bool (*holds)(const Trial&);
    std::array<Answer, servers.size()> expected;
    /// Whether it can be asked of servers that run under a sanitizer.
    bool under_sanitizers = true;
};

/// All rows, in the order of the document.
const std::vector<Property>& properties();

/// docs/limits.md, as the expected answers have it; the tests prove these.
std::string document();

}  // namespace limits
