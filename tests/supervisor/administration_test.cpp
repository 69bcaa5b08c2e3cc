// supervisor_SUITE: child_adm*, extra_return, count_children*, hanging_restart_loop*, do_not_save_*, scaling. The cases
// keep OTP's names.

#include "04_supervised/otp/supervisor.hpp"
#include "supervisor/play.hpp"

#include <any>

using namespace play;
using namespace otp;

namespace {

constexpr Time t0{};

}  // namespace

TEST(Administration, child_adm) {
    EXPECT_THAT(answers("supervisor sup intensity=2 period=3600s\n"
                        "  worker child1\n"
                        "at 1s: sup start_child worker child1\n"
                        "at 2s: sup terminate_child hej\n"
                        "at 3s: sup terminate_child child1\n"
                        "at 4s: sup which_children\n"
                        "at 5s: sup count_children\n"
                        "at 6s: sup terminate_child child1\n"
                        "at 7s: sup start_child worker child1\n"
                        "at 8s: sup restart_child child1\n"
                        "at 9s: sup restart_child child1\n"
                        "at 10s: sup restart_child child2\n"
                        "at 11s: sup delete_child child1\n"
                        "at 12s: sup delete_child hej\n"
                        "at 13s: sup terminate_child child1\n"
                        "at 14s: sup delete_child child1\n"
                        "at 15s: sup restart_child child1\n"
                        "at 16s: sup which_children\n"
                        "at 17s: sup count_children\n"
                        "at 18s: sup start_child worker child1\n"
                        "at 19s: sup terminate_child child1#3\n"
                        "at 20s: sup which_children\n"),
                ElementsAre("error, already_started", "error, not_found", "ok", "[child1 undefined]",
                            "specs 1, active 0, supervisors 0, workers 1", "ok", "error, already_present",
                            "ok, child1#2", "error, running", "error, not_found", "error, running", "error, not_found",
                            "ok", "ok", "error, not_found", "[]", "specs 0, active 0, supervisors 0, workers 0",
                            "ok, child1#3", "error, not_found", "[child1 running]"));
}

TEST(Administration, child_adm_simple) {
    EXPECT_THAT(answers("supervisor sup strategy=simple_one_for_one\n"
                        "  worker child\n"
                        "at 1s: sup which_children\n"
                        "at 2s: sup count_children\n"
                        "at 3s: sup start_child\n"
                        "at 4s: sup start_child\n"
                        "at 5s: sup which_children\n"
                        "at 6s: sup count_children\n"
                        "at 7s: sup terminate_child child\n"
                        "at 8s: sup terminate_child child#1\n"
                        "at 9s: sup count_children\n"
                        "at 10s: sup terminate_child child#1\n"
                        "at 11s: sup restart_child child\n"
                        "at 12s: sup delete_child child\n"),
                ElementsAre("[]", "specs 1, active 0, supervisors 0, workers 0", "ok, child#1", "ok, child#2",
                            "[child running, child running]", "specs 1, active 2, supervisors 0, workers 2",
                            "error, simple_one_for_one", "ok", "specs 1, active 1, supervisors 0, workers 1", "ok",
                            "error, simple_one_for_one", "error, simple_one_for_one"));
    Supervisor supervisor("sup", {.strategy = Strategy::simple_one_for_one}, {{.id = "child"}});
    supervisor.start(t0);
    const Actions actions = supervisor.handle(Request{.id = 7, .body = TerminateChildRequest{Pid{99}}}, t0);
    EXPECT_EQ(std::get<RequestError>(std::get<Reply>(actions.at(0)).answer).code, RequestError::Code::not_found);
}

TEST(Administration, a_restart_by_request_is_not_counted) {
    std::string script = "supervisor sup intensity=0\n  worker a\n";
    for (int second = 1; second < 20; ++second) {
        script +=
            "at " + std::to_string(second) + "s: sup " + (second % 2 ? "terminate_child" : "restart_child") + " a\n";
    }
    EXPECT_THAT(answers(script), testing::Not(testing::Contains(testing::HasSubstr("error"))));
}

TEST(Administration, terminate_child_of_a_temporary_child_removes_it) {
    EXPECT_THAT(answers("supervisor sup\n  worker a restart=temporary\n  worker b\n"
                        "at 1s: sup terminate_child a\nat 2s: sup which_children\nat 3s: sup restart_child a\n"
                        "at 4s: sup start_child worker a restart=temporary\n"),
                ElementsAre("ok", "[b running]", "error, not_found", "ok, a#2"));
}

TEST(Administration, terminate_child_that_refuses_is_killed_and_reported) {
    EXPECT_THAT(did("supervisor sup\n  worker a shutdown=1s\na refuses to stop\nat 1s: sup terminate_child a\n"),
                ElementsAre("sup asks a#1 to stop", "sup kills a#1", "sup reports shutdown_error: a#1, killed",
                            "sup answers: ok"));
}

// child_unlink: a child that hides its death from the supervisor cannot exist here (the runtime reports it), but one
// that never dies by itself must not hang it either.
TEST(Administration, requests_wait_while_a_child_is_being_stopped) {
    EXPECT_THAT(did("supervisor sup\n  worker a shutdown=5s\na refuses to stop\n"
                    "at 1s: sup terminate_child a\nat 2s: sup which_children\nat 3s: sup stop\n"),
                ElementsAre("sup asks a#1 to stop", "sup kills a#1", "sup reports shutdown_error: a#1, killed",
                            "sup answers: ok", "sup answers: [a undefined]", "sup exits: shutdown"));
}

TEST(Administration, requests_that_the_end_overtakes_are_answered_noproc) {
    EXPECT_THAT(did("supervisor sup\n  worker a shutdown=5s\na takes 3s to stop\n"
                    "at 1s: sup stop\nat 2s: sup which_children\n"),
                ElementsAre("sup asks a#1 to stop", "sup exits: shutdown", "sup answers: error, noproc"));
    Supervisor supervisor("sup", {}, {});
    supervisor.start(t0);
    supervisor.handle(ExitSignal{Reason::shutdown()}, t0);
    const Actions late = supervisor.handle(Request{.id = 1, .body = CountChildrenRequest{}}, t0);
    EXPECT_EQ(std::get<RequestError>(std::get<Reply>(late.at(0)).answer).code, RequestError::Code::noproc);
    EXPECT_TRUE(supervisor.handle(ExitSignal{Reason::shutdown()}, t0).empty());
}

TEST(CountChildren, count_children) {
    const std::string many = [] {
        std::string script = "supervisor sup strategy=simple_one_for_one\n  worker child restart=temporary\n";
        for (int i = 0; i < 1000; ++i) script += "at 1s: sup start_child\n";
        script += "at 2s: sup count_children\n";
        for (int i = 1; i <= 1000; ++i) script += "at 3s: child#" + std::to_string(i) + " exits killed\n";
        return script + "at 4s: sup count_children\n";
    }();
    const Lines all = answers(many);
    EXPECT_EQ(all.at(all.size() - 2), "specs 1, active 1000, supervisors 0, workers 1000");
    EXPECT_EQ(all.back(), "specs 1, active 0, supervisors 0, workers 0");
}

TEST(CountChildren, count_children_supervisor) {
    EXPECT_THAT(answers("supervisor sup strategy=simple_one_for_one\n  supervisor child restart=temporary\n"
                        "at 1s: sup start_child\nat 1s: sup start_child\nat 2s: sup count_children\n"),
                ElementsAre("ok, child#1", "ok, child#2", "specs 1, active 2, supervisors 2, workers 0"));
}

TEST(CountChildren, count_restarting_children) {
    EXPECT_THAT(answers("supervisor sup strategy=simple_one_for_one intensity=20 period=10s\n"
                        "  worker child shutdown=brutal_kill\n"
                        "at 1s: sup start_child\nat 1s: sup start_child\nat 1s: sup start_child\n"
                        "at 2s: child fails 4 starts\n"
                        "when child#5 starts: sup count_children\n"  // the second of them
                        "at 3s: child#1 exits error\nat 3s: child#2 exits error\n"
                        "at 4s: sup count_children\nat 5s: sup terminate_child child#3\nat 6s: sup count_children\n"),
                ElementsAre("ok, child#1", "ok, child#2", "ok, child#3", "specs 1, active 1, supervisors 0, workers 3",
                            "specs 1, active 3, supervisors 0, workers 3", "ok",
                            "specs 1, active 2, supervisors 0, workers 2"));
}

// While a restart fails again and again, requests get through between two tries.
TEST(RestartLoop, hanging_restart_loop) {
    EXPECT_THAT(did("supervisor sup intensity=8 period=10s\n"
                    "  worker child1 shutdown=brutal_kill\n"
                    "child1 takes 1s to start\n"
                    "at 2s: child1 fails 100 starts error\n"
                    "at 3s: child1 exits error\n"
                    "when child1#2 starts: sup start_child worker child1\n"
                    "when child1#2 starts: sup restart_child child1\n"
                    "when child1#2 starts: sup delete_child child1\n"
                    "when child1#2 starts: sup which_children\n"
                    "when child1#2 starts: sup count_children\n"
                    "when child1#2 starts: sup terminate_child child1\n"
                    "at 5s: sup which_children\n"
                    "at 6s: child1 fails 0 starts\n"
                    "at 7s: sup restart_child child1\n"),
                ElementsAre("sup reports child_terminated: child1#1, error", "sup starts child1#2",
                            "sup reports start_error: child1, error", "sup answers: error, already_present",
                            "sup answers: error, restarting", "sup answers: error, restarting",
                            "sup answers: [child1 restarting]",
                            "sup answers: specs 1, active 0, supervisors 0, workers 1", "sup answers: ok",
                            "sup answers: [child1 undefined]", "sup starts child1#3", "sup answers: ok, child1#3"));
}

TEST(RestartLoop, hanging_restart_loop_rest_for_one) {
    EXPECT_THAT(did("supervisor sup strategy=rest_for_one intensity=8 period=10s\n"
                    "  worker child1\n  worker child2 shutdown=brutal_kill\n  worker child3 shutdown=brutal_kill\n"
                    "at 2s: child2 fails 100 starts error\n"
                    "at 3s: child2 exits error\n"
                    "when child2#3 starts: sup which_children\n"
                    "when child2#3 starts: sup count_children\n"
                    "when child2#3 starts: sup terminate_child child2\n"
                    "at 5s: sup which_children\n"
                    "at 6s: sup stop\n"),
                ElementsAre("sup reports child_terminated: child2#1, error", "sup kills child3#1",
                            "sup starts child2#2", "sup reports start_error: child2, error", "sup starts child2#3",
                            "sup reports start_error: child2, error",
                            "sup answers: [child3 undefined, child2 restarting, child1 running]",
                            "sup answers: specs 3, active 1, supervisors 0, workers 3", "sup answers: ok",
                            "sup answers: [child3 undefined, child2 undefined, child1 running]",
                            "sup asks child1#1 to stop", "sup exits: shutdown"));
}

TEST(RestartLoop, hanging_restart_loop_simple) {
    EXPECT_THAT(
        did("supervisor sup strategy=simple_one_for_one intensity=8 period=10s\n"
            "  worker child shutdown=brutal_kill\n"
            "at 1s: sup start_child\n"
            "at 2s: child fails 100 starts error\n"
            "at 3s: child#1 exits error\n"
            "when child#4 starts: sup restart_child child\n"
            "when child#4 starts: sup which_children\n"
            "when child#4 starts: sup count_children\n"
            "when child#4 starts: sup terminate_child child#1\n"  // still known by its last life
            "at 5s: sup which_children\n",
            3),
        ElementsAre("sup reports child_terminated: child#1, error", "sup starts child#2",
                    "sup reports start_error: child, error", "sup starts child#3",
                    "sup reports start_error: child, error", "sup starts child#4",
                    "sup reports start_error: child, error", "sup answers: error, simple_one_for_one",
                    "sup answers: [child restarting]", "sup answers: specs 1, active 0, supervisors 0, workers 1",
                    "sup answers: ok", "sup answers: []"));
}

TEST(RestartLoop, the_supervisor_can_be_stopped_in_it) {
    EXPECT_THAT(
        did("supervisor sup intensity=100 period=10s\n  worker a\n"
            "at 2s: a fails 100 starts error\nat 3s: a exits error\nwhen a#3 starts: sup stop\n"),
        ElementsAre("sup reports child_terminated: a#1, error", "sup starts a#2", "sup reports start_error: a, error",
                    "sup starts a#3", "sup reports start_error: a, error", "sup exits: shutdown"));
}

TEST(Memory, do_not_save_start_parameters_for_temporary_children) {
    for (Restart restart : {Restart::permanent, Restart::temporary}) {
        auto large = std::make_shared<int>(1);
        Supervisor supervisor("sup", {}, {});
        supervisor.start(t0);
        {
            const Actions actions = supervisor.handle(
                Request{.id = 1,
                        .body = StartChildRequest{{.id = "a", .restart = restart, .argument = std::any(large)}}},
                t0);
            const auto& start = std::get<StartChild>(actions.at(0));
            EXPECT_EQ(std::any_cast<std::shared_ptr<int>>(start.spec.argument), large);
            supervisor.handle(ChildStarted{start.pid}, t0);
        }
        EXPECT_EQ(large.use_count(), restart == Restart::temporary ? 1 : 2);
    }
}

TEST(Memory, do_not_save_child_specs_for_temporary_children) {
    for (const std::string strategy : {"one_for_all", "one_for_one", "rest_for_one"}) {
        for (const std::string how :
             {"a exits killed", "a exits normal", "a exits abnormal", "sup terminate_child a"}) {
            EXPECT_THAT(answers("supervisor sup strategy=" + strategy + "\n  worker a restart=temporary\nat 1s: " +
                                how + "\nat 2s: sup start_child worker a restart=temporary\n"),
                        testing::Contains("ok, a#2"))
                << strategy << how;
        }
    }
}

TEST(Memory, simple_one_for_one_corruption) {
    auto large = std::make_shared<int>(1);
    Supervisor supervisor("sup", {.strategy = Strategy::simple_one_for_one},
                          {{.id = "c", .restart = Restart::temporary}});
    supervisor.start(t0);
    for (RequestId request = 1; request <= 2; ++request) {
        const Pid pid =
            std::get<StartChild>(
                supervisor.handle(Request{.id = request, .body = StartChildRequest{{.argument = large}}}, t0).at(0))
                .pid;
        supervisor.handle(ChildStarted{pid}, t0);
        EXPECT_EQ(large.use_count(), 1);
        supervisor.handle(ChildExited{pid, Reason::abnormal("boom")}, t0);
    }
}

// simple_one_for_one_scale_many_temporary_children, scale_start_stop_many_children: no list is searched. With a search
// this would take minutes, and the test's deadline ends it.
TEST(Memory, scale_start_stop_many_children) {
    constexpr int many = 100'000;
    for (Strategy strategy : {Strategy::one_for_one, Strategy::simple_one_for_one}) {
        const bool dynamic = strategy == Strategy::simple_one_for_one;
        Supervisor supervisor("sup", {.strategy = strategy},
                              dynamic ? std::vector<ChildSpec>{{.id = "c"}} : std::vector<ChildSpec>{});
        supervisor.start(t0);
        for (int i = 0; i < many; ++i) {
            const auto actions =
                supervisor.handle(Request{.id = 1, .body = StartChildRequest{{.id = std::to_string(i)}}}, t0);
            supervisor.handle(ChildStarted{std::get<StartChild>(actions.at(0)).pid}, t0);
        }
        EXPECT_EQ(supervisor.count_children().active, static_cast<std::size_t>(many));
        for (int i = 0; i < many; ++i) {
            TerminateChildRequest stop{.child = std::to_string(i)};
            if (dynamic) stop.child = static_cast<Pid>(i + 1);
            const auto actions = supervisor.handle(Request{.id = 2, .body = stop}, t0);
            supervisor.handle(ChildExited{std::get<StopChild>(actions.at(0)).pid, Reason::shutdown()}, t0);
        }
        EXPECT_EQ(supervisor.count_children().active, 0u);
    }
}

// --- Reports in words -----------------------------------------------------------------------------------------------

TEST(FormatLog, format_log_2) {
    Report report{.supervisor = "my_supervisor",
                  .context = Context::shutdown_error,
                  .reason = Reason::abnormal("boom\n"),
                  .offender = {.id = "any_id", .pid = 12, .label = "4711"}};
    EXPECT_EQ(to_string(report),
              "Supervisor: my_supervisor. Context: shutdown_error. Reason: boom\\n. Offender: id=any_id,pid=4711.");
    report.offender.nb_children = 7;
    report.note = "why";
    EXPECT_EQ(to_string(report),
              "Supervisor: my_supervisor. Context: shutdown_error. Reason: boom\\n. Offender: id=any_id,nb_children=7."
              " why.");
    EXPECT_EQ(to_string(Progress{"my_supervisor", {.id = "any_id", .pid = 12}}),
              "Supervisor: my_supervisor. Started: id=any_id,pid=<12>.");
}

TEST(FormatLog, a_line_of_the_tree) {
    const ChildInfo child{.id = "worker-1", .pid = 3, .label = "4711", .state = ChildState::running, .restarts = 2};
    EXPECT_EQ(to_string(child, t0 + std::chrono::milliseconds(3540)), "worker-1  4711  running  2 restarts  for 3.5 s");
}
