// supervisor_SUITE: sup_start_*, sup_stop_*, sup_flags, child_specs*, order_of_children. The cases keep OTP's names.

#include "04_supervised/otp/supervisor.hpp"
#include "supervisor/play.hpp"

using namespace play;
using namespace otp;

namespace {

constexpr Time beginning{};

// Starts everybody who is to be started, successfully; what the supervisor wanted otherwise comes back.
Actions start_all(Supervisor& supervisor, Actions actions) {
    Actions others;
    while (!actions.empty()) {
        Actions more;
        for (const Action& action : actions) {
            const auto* start = std::get_if<StartChild>(&action);
            if (!start) {
                others.push_back(action);
            } else {
                for (Action& next : supervisor.handle(ChildStarted{start->pid}, beginning))
                    more.push_back(std::move(next));
            }
        }
        actions = std::move(more);
    }
    return others;
}

std::string exit_of(const SupFlags& flags, std::vector<ChildSpec> specs) {
    Supervisor supervisor("sup_test", flags, std::move(specs));
    const Actions actions = supervisor.start(beginning);
    if (actions.size() != 1) return "started";
    const auto* exited = std::get_if<SupervisorExited>(&actions[0]);
    return exited ? to_string(exited->reason) : "started";
}

}  // namespace

TEST(SupStart, sup_start_normal) {
    EXPECT_THAT(did("supervisor sup intensity=2 period=3600s\nat 1s: sup stop\n"), ElementsAre("sup exits: shutdown"));
}

TEST(SupStart, sup_start_ignore_child) {
    EXPECT_THAT(answers("supervisor sup intensity=2 period=3600s\n"
                        "child1 ignores 1 starts\n"
                        "at 1s: sup start_child worker child1\n"
                        "at 2s: sup start_child worker child2\n"
                        "at 3s: sup which_children\n"
                        "at 4s: sup count_children\n"),
                ElementsAre("ok", "ok, child2#1", "[child2 running, child1 undefined]",
                            "specs 2, active 1, supervisors 0, workers 2"));
}

TEST(SupStart, sup_start_ignore_temporary_child) {
    EXPECT_THAT(answers("supervisor sup intensity=2 period=3600s\n"
                        "  worker child1 restart=temporary\n"
                        "  worker child2 restart=temporary\n"
                        "child1 ignores 1 starts\n"
                        "at 1s: sup which_children\n"
                        "at 2s: sup count_children\n"),
                ElementsAre("[child2 running]", "specs 1, active 1, supervisors 0, workers 1"));
}

TEST(SupStart, sup_start_ignore_temporary_child_start_child) {
    EXPECT_THAT(answers("supervisor sup intensity=2 period=3600s\n"
                        "child1 ignores 1 starts\n"
                        "at 1s: sup start_child worker child1 restart=temporary\n"
                        "at 2s: sup start_child worker child2 restart=temporary\n"
                        "at 3s: sup which_children\n"),
                ElementsAre("ok", "ok, child2#1", "[child2 running]"));
}

TEST(SupStart, sup_start_ignore_temporary_child_start_child_simple) {
    EXPECT_THAT(answers("supervisor sup strategy=simple_one_for_one\n"
                        "  worker child restart=temporary\n"
                        "child ignores 1 starts\n"
                        "at 1s: sup start_child\n"
                        "at 2s: sup start_child\n"
                        "at 3s: sup which_children\n"
                        "at 4s: sup count_children\n"),
                ElementsAre("ok", "ok, child#2", "[child running]", "specs 1, active 1, supervisors 0, workers 1"));
}

TEST(SupStart, sup_start_ignore_permanent_child_start_child_simple) {
    EXPECT_THAT(did("supervisor sup strategy=simple_one_for_one\n"
                    "  worker child\n"
                    "child ignores 1 starts\n"
                    "at 1s: sup start_child\n"
                    "at 2s: sup start_child\n"
                    "at 3s: sup which_children\n"
                    "at 4s: sup stop\n",
                    3),
                ElementsAre("sup answers: [child running]", "sup asks child#2 to stop", "sup exits: shutdown"));
}

TEST(SupStart, sup_start_fail) {
    EXPECT_THAT(did("supervisor sup\n  worker a\n  worker b\n  worker c\n  worker d\nc fails 1 starts broken\n", 0),
                ElementsAre("sup starts a#1", "sup starts b#1", "sup starts c#1", "sup reports start_error: c, broken",
                            "sup asks b#1 to stop", "sup asks a#1 to stop",
                            "sup exits: {shutdown, {failed_to_start_child, c, broken}}"));
}

TEST(SupStart, sup_start_child_returns_error) {
    EXPECT_THAT(did("supervisor sup\n"
                    "child1 fails 1 starts reason\n"
                    "at 1s: sup start_child worker child1\n"
                    "at 2s: sup which_children\n"),
                ElementsAre("sup starts child1#1", "sup answers: error, start_failed: reason", "sup answers: []"));
}

TEST(SupStart, sup_start_restart_child_returns_error) {
    EXPECT_THAT(did("supervisor sup\n"
                    "  worker child1\n"
                    "at 1s: sup terminate_child child1\n"
                    "at 2s: child1 fails 1 starts reason\n"
                    "at 3s: sup restart_child child1\n"
                    "at 4s: sup which_children\n",
                    3),
                ElementsAre("sup starts child1#2", "sup answers: error, start_failed: reason",
                            "sup answers: [child1 undefined]"));
}

TEST(SupStart, sup_start_child_returns_error_simple) {
    EXPECT_THAT(answers("supervisor sup strategy=simple_one_for_one\n"
                        "  worker child\n"
                        "child fails 1 starts reason\n"
                        "at 1s: sup start_child\n"
                        "at 2s: sup which_children\n"),
                ElementsAre("error, start_failed: reason", "[]"));
}

TEST(SupStart, a_child_that_dies_before_its_answer_has_failed_to_start) {
    Supervisor supervisor("sup_test", {}, {{.id = "a"}});
    const Actions first = supervisor.start(beginning);
    const Actions actions =
        supervisor.handle(ChildExited{std::get<StartChild>(first.at(0)).pid, Reason::killed()}, beginning);
    ASSERT_EQ(actions.size(), 2u);
    EXPECT_EQ(std::get<Report>(actions[0]).context, Context::start_error);
    EXPECT_EQ(to_string(std::get<SupervisorExited>(actions[1]).reason),
              "{shutdown, {failed_to_start_child, a, killed}}");
    EXPECT_TRUE(supervisor.over());
}

TEST(SupStartMap, sup_start_map) {
    Supervisor supervisor("sup_test", {},
                          {{.id = "child1"},
                           {.id = "child2", .shutdown = Shutdown::brutal_kill()},
                           {.id = "child3", .type = ChildType::supervisor}});
    start_all(supervisor, supervisor.start(beginning));
    const SupFlags& flags = supervisor.flags();
    EXPECT_EQ(flags.strategy, Strategy::one_for_one);
    EXPECT_EQ(flags.intensity, 1);
    EXPECT_EQ(flags.period, std::chrono::seconds(5));
    EXPECT_EQ(flags.auto_shutdown, AutoShutdown::never);
    const ChildSpec child1 = supervisor.get_childspec("child1").value();
    EXPECT_EQ(child1.restart, Restart::permanent);
    EXPECT_EQ(child1.shutdown, Shutdown::timeout(Duration(5000)));
    EXPECT_EQ(child1.type, ChildType::worker);
    EXPECT_FALSE(child1.significant);
    EXPECT_EQ(supervisor.get_childspec("child2")->shutdown, Shutdown::brutal_kill());
    EXPECT_EQ(supervisor.get_childspec("child3")->shutdown, Shutdown::infinity());
    EXPECT_FALSE(supervisor.get_childspec("child4"));
}

TEST(SupStartMap, sup_start_map_simple) {
    Supervisor supervisor("sup_test", {.strategy = Strategy::simple_one_for_one},
                          {{.id = "child", .restart = Restart::temporary}});
    start_all(supervisor, supervisor.start(beginning));
    EXPECT_EQ(supervisor.get_childspec("child")->restart, Restart::temporary);
    EXPECT_EQ(supervisor.get_childspec("child")->shutdown, Shutdown::timeout(Duration(5000)));
    EXPECT_FALSE(supervisor.get_childspec("other"));
}

TEST(SupStartMap, sup_start_map_faulty_specs) {
    EXPECT_EQ(exit_of({}, {{.id = ""}}), "missing_id");
    EXPECT_EQ(exit_of({}, {{.id = "a"}, {.id = "b"}, {.id = "a"}}), "duplicate_child_name: a");
}

TEST(SupFlagsCheck, sup_flags) {
    EXPECT_THAT(exit_of({.intensity = -1}, {}), testing::StartsWith("invalid_intensity: -1"));
    EXPECT_THAT(exit_of({.period = std::chrono::seconds(0)}, {}), testing::StartsWith("invalid_period: 0"));
    EXPECT_THAT(exit_of({.max_children = 3}, {}), testing::StartsWith("bad_combination: max_children"));
    EXPECT_TRUE(check_flags({.intensity = 0, .period = std::chrono::seconds(1)}));
}

TEST(ChildSpecs, child_specs) {
    EXPECT_EQ(exit_of({.strategy = Strategy::simple_one_for_one}, {}),
              "bad_start_spec: simple_one_for_one has exactly one template, not 0");
    EXPECT_EQ(exit_of({.strategy = Strategy::simple_one_for_one}, {{.id = "a"}, {.id = "b"}}),
              "bad_start_spec: simple_one_for_one has exactly one template, not 2");
    const ChildSpec negative{.id = "a", .shutdown = Shutdown::timeout(Duration(-10))};
    EXPECT_EQ(check_childspec(negative, {}).error(), "invalid_shutdown: -10");
    EXPECT_THAT(
        answers("supervisor sup\n"
                "at 1s: sup start_child worker c restart=transient significant=true\n"
                "at 2s: sup which_children\n"),
        ElementsAre("error, invalid_spec: bad_combination: c is significant, but auto_shutdown is never", "[]"));
}

TEST(ChildSpecs, child_specs_map) {
    for (Restart restart : {Restart::permanent, Restart::transient, Restart::temporary}) {
        for (AutoShutdown mode : {AutoShutdown::never, AutoShutdown::any_significant, AutoShutdown::all_significant}) {
            for (Shutdown shutdown : {Shutdown::brutal_kill(), Shutdown::timeout(Duration(0)), Shutdown::infinity()}) {
                for (ChildType type : {ChildType::worker, ChildType::supervisor}) {
                    ChildSpec spec{.id = "a", .restart = restart, .type = type, .shutdown = shutdown};
                    EXPECT_TRUE(check_childspec(spec, {.auto_shutdown = mode}));
                    spec.significant = true;
                    const bool fine = restart != Restart::permanent && mode != AutoShutdown::never;
                    EXPECT_EQ(check_childspec(spec, {.auto_shutdown = mode}).has_value(), fine);
                }
            }
        }
    }
}

TEST(SupStop, sup_stop_infinity) {
    EXPECT_THAT(did("supervisor sup\n"
                    "  worker child1 shutdown=infinity\n"
                    "  worker child2 shutdown=infinity\n"
                    "child2 takes 1000s to stop\n"
                    "at 1s: sup stop\n"),
                ElementsAre("sup asks child2#1 to stop", "sup asks child1#1 to stop", "sup exits: shutdown"));
}

TEST(SupStop, sup_stop_timeout) {
    EXPECT_THAT(
        did("supervisor sup\n"
            "  worker child1 shutdown=1s\n"
            "  worker child2 shutdown=1s\n"
            "child2 refuses to stop\n"
            "at 1s: sup stop\n"),
        ElementsAre("sup asks child2#1 to stop", "sup kills child2#1", "sup reports shutdown_error: child2#1, killed",
                    "sup asks child1#1 to stop", "sup exits: shutdown"));
}

TEST(SupStop, each_static_child_has_its_own_time) {
    lab::Simulator lab = simulator(
        "supervisor sup\n  worker a shutdown=1s\n  worker b shutdown=2s\n"
        "a refuses to stop\nb refuses to stop\nat 1s: sup stop\n");
    lab.run();
    EXPECT_EQ(lab.now().time_since_epoch(), std::chrono::seconds(4));
}

TEST(SupStop, sup_stop_timeout_dynamic) {
    EXPECT_THAT(did("supervisor sup strategy=simple_one_for_one\n"
                    "  worker c restart=temporary shutdown=1s\n"
                    "at 1s: sup start_child\n"
                    "at 1s: sup start_child\n"
                    "at 2s: c#2 refuses to stop\n"
                    "at 3s: sup stop\n",
                    3),
                ElementsAre("sup asks c#2 to stop", "sup asks c#1 to stop", "sup kills c#2",
                            "sup reports shutdown_error: 1 x c, killed", "sup exits: shutdown"));
}

TEST(SupStop, sup_stop_brutal_kill) {
    EXPECT_THAT(did("supervisor sup\n"
                    "  worker child1\n"
                    "  worker child2 shutdown=brutal_kill\n"
                    "at 1s: sup stop\n"),
                ElementsAre("sup kills child2#1", "sup asks child1#1 to stop", "sup exits: shutdown"));
}

TEST(SupStop, sup_stop_brutal_kill_dynamic) {
    EXPECT_THAT(did("supervisor sup strategy=simple_one_for_one\n"
                    "  worker c restart=temporary shutdown=brutal_kill\n"
                    "at 1s: sup start_child\n"
                    "at 1s: sup start_child\n"
                    "at 3s: sup stop\n",
                    3),
                ElementsAre("sup kills c#2", "sup kills c#1", "sup exits: shutdown"));
}

// Children that end by themselves while another one is being waited for: which reasons are reported.
TEST(SupStop, sup_stop_race) {
    const struct {
        std::string restart, reason;
        bool reported;
    } cases[] = {{"temporary", "normal", false},        {"temporary", "shutdown", false},
                 {"temporary", "shutdown:test", false}, {"temporary", "other", true},
                 {"transient", "normal", false},        {"transient", "shutdown", false},
                 {"transient", "shutdown:test", false}, {"transient", "other", true},
                 {"permanent", "normal", true},         {"permanent", "shutdown", false},
                 {"permanent", "shutdown:test", true},  {"permanent", "other", true}};
    for (const auto& [restart, reason, reported] : cases) {
        const Lines lines = did("supervisor sup\n  worker a\n  worker b restart=" + restart +
                                "\n  worker z\nwhen z stops: b exits " + reason + "\nat 1s: sup stop\n");
        EXPECT_EQ(lines.size(), reported ? 4u : 3u) << restart << " " << reason << testing::PrintToString(lines);
        if (reported) {
            EXPECT_THAT(lines[1], testing::StartsWith("sup reports shutdown_error: b#1, ")) << restart << reason;
        }
        EXPECT_THAT(lines, testing::Not(testing::Contains("sup asks b#1 to stop")));
    }
}

TEST(SupStop, sup_stop_non_shutdown_exit_dynamic) {
    EXPECT_THAT(did("supervisor sup strategy=simple_one_for_one\n"
                    "  worker c\n"
                    "at 1s: sup start_child\nat 1s: sup start_child\nat 1s: sup start_child\n"
                    "at 2s: c#1 stops with other\n"
                    "at 2s: c#2 stops with normal\n"
                    "at 2s: c#3 stops with other\n"
                    "at 3s: sup stop\n",
                    3),
                ElementsAre("sup asks c#3 to stop", "sup asks c#2 to stop", "sup asks c#1 to stop",
                            "sup reports shutdown_error: 1 x c, normal", "sup reports shutdown_error: 2 x c, other",
                            "sup exits: shutdown"));
}

TEST(SupStop, order_of_children) {
    EXPECT_THAT(did("supervisor sup strategy=rest_for_one intensity=2 period=3600s\n"
                    "  worker ch7\n  worker ch3\n  worker ch10\n  worker ch2\n  worker ch5\n"
                    "at 1s: ch10 exits abnormal\n"
                    "at 2s: sup stop\n"),
                ElementsAre("sup reports child_terminated: ch10#1, abnormal", "sup asks ch5#1 to stop",
                            "sup asks ch2#1 to stop", "sup starts ch10#2", "sup starts ch2#2", "sup starts ch5#2",
                            "sup asks ch5#2 to stop", "sup asks ch2#2 to stop", "sup asks ch10#2 to stop",
                            "sup asks ch3#1 to stop", "sup asks ch7#1 to stop", "sup exits: shutdown"));
}

TEST(SupStop, the_exit_signal_waits_for_the_start_under_way) {
    EXPECT_THAT(did("supervisor sup\n  worker a\n  worker b\nb takes 2s to start\nat 1s: sup stop\n", 0),
                ElementsAre("sup starts a#1", "sup starts b#1", "sup asks b#1 to stop", "sup asks a#1 to stop",
                            "sup exits: shutdown"));
}

TEST(Progress, each_start_of_a_static_child_is_reported_and_none_of_a_dynamic_one) {
    lab::Simulator lab = simulator(
        "supervisor sup\n  worker a\n  supervisor pool strategy=simple_one_for_one\n    worker c\n"
        "at 1s: pool start_child\nat 2s: a exits boom\n");
    lab.run();
    Lines progress;
    for (const auto& line : lab.trace()) {
        if (line.kind == lab::TraceLine::Kind::progress) progress.push_back(line.who + " " + line.text);
    }
    EXPECT_THAT(progress, ElementsAre("sup reports progress: a#1 runs", "sup reports progress: pool#1 runs",
                                      "sup reports progress: a#2 runs"));
}
