#include "04_supervised/process/process_child.hpp"
#include "supervised/play.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/wait.h>

// A child that is a process: how it starts, lives and ends, with a child that does what it is told (child.cpp).

using namespace otp;
using namespace std::chrono_literals;
using process::Descriptor;
using process::Message;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

class ProcessChild : public testing::Test, protected Play {
protected:
    ProcessChild() {
        // A child that crashes is to end by the signal under a sanitizer too.
        for (const char* sanitizer : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
            const char* const ours = std::getenv(sanitizer);
            const auto options = std::string(ours != nullptr ? ours : "") + ":handle_segv=0:abort_on_error=1";
            ::setenv(sanitizer, options.c_str(), 1);
        }
    }

    ~ProcessChild() override {
        runtime.reset();
        // Every child was waited for: no zombie is left.
        EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
        EXPECT_EQ(errno, ECHILD);
    }

    process::ProcessChild::Options doing(const std::string& what) {
        return {.name = what,
                .program = SUPERVISED_CHILD,
                .arguments = {"child", what},
                .descriptors = {listener_.get()},
                .on_message = [this](const Message& message) { said.push_back(message.text); }};
    }

    ChildSpec child(process::ProcessChild::Options options, Restart restart = Restart::temporary) {
        return {.id = options.name, .restart = restart, .argument = Start([this, options](const ReportTo& report_to) {
                                                            process =
                                                                process::ProcessChild::start(loop, options, report_to);
                                                            ++starts;
                                                            return process;
                                                        })};
    }

    void run_until_no_child() {
        run_until([this] { return is_up && children().empty(); }, "the child has ended");
    }

    Descriptor listener_{::open("/dev/null", O_RDONLY | O_CLOEXEC)};  // nobody looks at what it is
    std::shared_ptr<process::ProcessChild> process;
    std::vector<std::string> said;
    int starts = 0;
};

TEST_F(ProcessChild, IsUpWhenItSaysSoAndShutDownWhenItIsAsked) {
    start({}, {child(doing("behave"), Restart::permanent)});
    run_until_up();
    EXPECT_EQ(children(), "behave running");
    EXPECT_TRUE(process->is_ready());
    stop();
    EXPECT_THAT(reports, IsEmpty());
    EXPECT_EQ(*over, Reason::shutdown());
}

TEST_F(ProcessChild, AMissingProgramIsAnErrorOfTheStart) {
    auto options = doing("behave");
    options.program = "/nowhere/at/all";
    start({}, {child(options)});
    run_until_over();
    EXPECT_FALSE(is_up);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_THAT(reports[0], HasSubstr("top start_error behave: /nowhere/at/all: No such file or directory"));
}

TEST_F(ProcessChild, OneThatIsNotReadyInTimeIsKilledAndHasFailed) {
    auto options = doing("never_ready");
    options.start_timeout = 50ms;
    start({}, {child(options)});
    run_until_over();
    EXPECT_THAT(reports, ElementsAre("top start_error never_ready: not ready within 50 ms"));
}

TEST_F(ProcessChild, OneThatEndsBeforeItIsReadyHasFailed) {
    start({}, {child(doing("fail"))});
    run_until_over();
    EXPECT_THAT(reports, ElementsAre("top start_error fail: exit status 7"));
}

TEST_F(ProcessChild, ASignalIsItsReason) {
    start({}, {child(doing("crash"))});
    run_until_no_child();
    EXPECT_THAT(reports, ElementsAre("top child_terminated crash: SIGSEGV"));
    stop();
}

TEST_F(ProcessChild, ExitStatusZeroIsNormal) {
    start({}, {child(doing("finish"), Restart::transient)});
    run_until([this] { return children() == "finish undefined"; }, "it has ended for good");
    EXPECT_THAT(reports, IsEmpty());
    stop();
}

TEST_F(ProcessChild, KilledFromOutsideIsRestarted) {
    start({}, {child(doing("behave"), Restart::permanent)});
    run_until_up();
    ::kill(process->pid(), SIGKILL);
    run_until([this] { return starts == 2 && children() == "behave running"; }, "it runs again");
    EXPECT_THAT(reports, ElementsAre("top child_terminated behave: killed"));
    stop();
}

TEST_F(ProcessChild, SigtermFromOutsideIsNoAbnormalEnd) {
    start({}, {child(doing("behave"), Restart::transient)});
    run_until_up();
    ::kill(process->pid(), SIGTERM);
    run_until([this] { return children() == "behave undefined"; }, "it has ended for good");
    stop();
}

TEST_F(ProcessChild, OneThatDoesNotStopIsKilledWhenItsTimeIsUp) {
    auto spec = child(doing("refuse_to_stop"), Restart::permanent);
    spec.shutdown = Shutdown::timeout(50ms);
    start({}, {spec});
    run_until_up();
    stop();
    EXPECT_THAT(reports, ElementsAre("top shutdown_error refuse_to_stop: killed"));
}

TEST_F(ProcessChild, OneThatAnswersNoHeartbeatIsAborted) {
    auto options = doing("hang");
    options.watchdog = 40ms;
    start({}, {child(options)});
    run_until_no_child();
    EXPECT_THAT(reports, ElementsAre("top child_terminated hang: no heartbeat within 40 ms: SIGABRT"));
    stop();
}

TEST_F(ProcessChild, AndKilledWhereThatDoesNotHelp) {
    auto options = doing("hang_and_ignore_abort");
    options.watchdog = 40ms;
    start({}, {child(options)});
    run_until_no_child();
    EXPECT_THAT(reports, ElementsAre("top child_terminated hang_and_ignore_abort: no heartbeat within 40 ms: SIGKILL"));
    stop();
}

TEST_F(ProcessChild, OneThatAnswersIsLeftInPeace) {
    auto options = doing("behave");
    options.watchdog = support::patience() / 10;
    start({}, {child(options), child(doing("hang"))});
    run_until_up();
    const support::Deadline deadline(2 * options.watchdog);
    loop.restart();
    loop.run_until(deadline.at());
    EXPECT_THAT(reports, IsEmpty());
    ::kill(process->pid(), SIGKILL);
    run_until([this] { return children() == "behave running"; }, "the other one has ended");
    stop();
}

TEST_F(ProcessChild, HasExactlyTheDescriptorsItIsGiven) {
    const Descriptor inherited(::open("/dev/null", O_RDONLY));  // not to be closed on exec
    start({}, {child(doing("tell_descriptors"))});
    run_until_up();
    EXPECT_THAT(said, ElementsAre("0 1 2 3 4 "));
    stop();
}

TEST_F(ProcessChild, LeavesNoDescriptorBehind) {
    const auto open = [] {
        std::filesystem::directory_iterator descriptors("/proc/self/fd");
        return std::distance(begin(descriptors), end(descriptors));
    };
    start({.intensity = 100}, {child(doing("behave"), Restart::permanent)});
    run_until_up();
    const auto before = open();
    for (int nth = 2; nth <= 20; ++nth) {
        ::kill(process->pid(), SIGKILL);
        run_until([&] { return starts == nth && children() == "behave running"; }, "it runs again");
    }
    EXPECT_EQ(open(), before);
    stop();
}

}  // namespace
