// supervisor_SUITE: one_for_one*, one_for_all*, rest_for_one*, simple_one_for_one*, multiple_restarts, tree. The cases
// keep OTP's names.

#include "04_supervised/otp/restart_window.hpp"
#include "supervisor/play.hpp"

using namespace play;
using namespace otp;

namespace {

const std::string gives_up = ", reached_max_restart_intensity (3 restarts within 3600 s, 2 allowed: giving up)";

std::string two_children(const std::string& strategy, const std::string& events) {
    return "supervisor sup intensity=2 period=3600s strategy=" + strategy + "\n  worker child1\n  worker child2\n" +
           events;
}

}  // namespace

TEST(OneForOne, one_for_one) {
    EXPECT_THAT(
        did(two_children("one_for_one",
                         "at 1s: child1 exits abnormal\nat 2s: child2 exits abnormal\n"
                         "at 3s: child2 exits abnormal\n")),
        ElementsAre("sup reports child_terminated: child1#1, abnormal", "sup starts child1#2",
                    "sup reports child_terminated: child2#1, abnormal", "sup starts child2#2",
                    "sup reports child_terminated: child2#2, abnormal", "sup reports shutdown: child2#2" + gives_up,
                    "sup asks child1#2 to stop", "sup exits: shutdown"));
}

// I = 4 gives exactly four attempts.
TEST(OneForOne, one_for_one_escalation) {
    EXPECT_THAT(did("supervisor sup intensity=4 period=3600s\n  worker child1\n  worker child2\n"
                    "at 1s: child1 fails 100 starts error\nat 2s: child1 exits abnormal\n"),
                ElementsAre("sup reports child_terminated: child1#1, abnormal", "sup starts child1#2",
                            "sup reports start_error: child1, error", "sup starts child1#3",
                            "sup reports start_error: child1, error", "sup starts child1#4",
                            "sup reports start_error: child1, error", "sup starts child1#5",
                            "sup reports start_error: child1, error",
                            "sup reports shutdown: child1, reached_max_restart_intensity (5 restarts within 3600 s, 4 "
                            "allowed: giving up)",
                            "sup asks child2#1 to stop", "sup exits: shutdown"));
}

TEST(OneForAll, one_for_all) {
    EXPECT_THAT(
        did(two_children("one_for_all",
                         "at 1s: child1 exits abnormal\nat 2s: child2 exits abnormal\n"
                         "at 3s: child2 exits abnormal\n")),
        ElementsAre("sup reports child_terminated: child1#1, abnormal", "sup asks child2#1 to stop",
                    "sup starts child1#2", "sup starts child2#2", "sup reports child_terminated: child2#2, abnormal",
                    "sup asks child1#2 to stop", "sup starts child1#3", "sup starts child2#3",
                    "sup reports child_terminated: child2#3, abnormal", "sup reports shutdown: child2#3" + gives_up,
                    "sup asks child1#3 to stop", "sup exits: shutdown"));
}

TEST(OneForAll, one_for_all_escalation) {
    const Lines lines =
        did("supervisor sup strategy=one_for_all intensity=4 period=3600s\n  worker child1\n"
            "  worker child2\nat 1s: child2 fails 100 starts error\nat 2s: child1 exits abnormal\n");
    EXPECT_EQ(std::ranges::count(lines, "sup reports start_error: child2, error"), 4);
    EXPECT_EQ(lines.back(), "sup exits: shutdown");
}

TEST(OneForAll, one_for_all_other_child_fails_restart) {
    EXPECT_THAT(did("supervisor sup strategy=one_for_all intensity=3 period=3600s\n  worker child1\n  worker child2\n"
                    "at 1s: child2 fails 1 starts error\nat 2s: child1 exits die\n"),
                ElementsAre("sup reports child_terminated: child1#1, die", "sup asks child2#1 to stop",
                            "sup starts child1#2", "sup starts child2#2", "sup reports start_error: child2, error",
                            "sup asks child1#2 to stop", "sup starts child1#3", "sup starts child2#3"));
}

TEST(RestForOne, rest_for_one) {
    EXPECT_THAT(
        did("supervisor sup strategy=rest_for_one intensity=2 period=3600s\n"
            "  worker child1\n  worker child2\n  worker child3\n"
            "at 1s: child2 exits abnormal\nat 2s: child3 exits abnormal\nat 3s: child2 exits abnormal\n"),
        ElementsAre("sup reports child_terminated: child2#1, abnormal", "sup asks child3#1 to stop",
                    "sup starts child2#2", "sup starts child3#2", "sup reports child_terminated: child3#2, abnormal",
                    "sup starts child3#3", "sup reports child_terminated: child2#2, abnormal",
                    "sup reports shutdown: child2#2" + gives_up, "sup asks child3#3 to stop",
                    "sup asks child1#1 to stop", "sup exits: shutdown"));
}

TEST(RestForOne, rest_for_one_escalation) {
    const Lines lines =
        did("supervisor sup strategy=rest_for_one intensity=4 period=3600s\n  worker child1\n"
            "  worker child2\nat 1s: child2 fails 100 starts error\nat 2s: child1 exits abnormal\n");
    EXPECT_EQ(std::ranges::count(lines, "sup reports start_error: child2, error"), 4);
    EXPECT_EQ(lines.back(), "sup exits: shutdown");
}

TEST(RestForOne, rest_for_one_other_child_fails_restart) {
    EXPECT_THAT(
        did("supervisor sup strategy=rest_for_one intensity=3 period=3600s\n  worker child1\n  worker child2\n"
            "at 1s: child2 fails 1 starts error\nat 2s: child1 exits die\n"),
        ElementsAre("sup reports child_terminated: child1#1, die", "sup asks child2#1 to stop", "sup starts child1#2",
                    "sup starts child2#2", "sup reports start_error: child2, error", "sup starts child2#3"));
}

TEST(Groups, a_transient_sibling_comes_back_even_if_it_had_ended_for_good) {
    EXPECT_THAT(
        did("supervisor sup strategy=one_for_all intensity=2 period=3600s\n"
            "  worker a\n  worker b restart=transient\n  worker c restart=transient\n"
            "at 1s: b exits normal\nat 2s: sup terminate_child c\nat 3s: a exits boom\n",
            3),
        ElementsAre("sup reports child_terminated: a#1, boom", "sup starts a#2", "sup starts b#2", "sup starts c#2"));
}

TEST(Groups, a_sibling_that_dies_during_the_stop_is_a_shutdown_error_and_not_a_count) {
    EXPECT_THAT(
        did("supervisor sup strategy=one_for_all intensity=1 period=3600s\n"
            "  worker a\n  worker b\n  worker c\n"
            "when c#1 stops: b exits too\nat 3s: a exits boom\n",
            3),
        ElementsAre("sup reports child_terminated: a#1, boom", "sup asks c#1 to stop",
                    "sup reports shutdown_error: b#1, too", "sup starts a#2", "sup starts b#2", "sup starts c#2"));
}

TEST(Groups, a_child_that_dies_while_another_starts_waits_its_turn) {
    EXPECT_THAT(
        did("supervisor sup strategy=rest_for_one intensity=2 period=3600s\n  worker a\n  worker b\n  worker c\n"
            "when b#2 starts: a exits too\nat 3s: b exits boom\n",
            3),
        ElementsAre("sup reports child_terminated: b#1, boom", "sup asks c#1 to stop", "sup starts b#2",
                    "sup starts c#2", "sup reports child_terminated: a#1, too", "sup asks c#2 to stop",
                    "sup asks b#2 to stop", "sup starts a#2", "sup starts b#3", "sup starts c#3"));
}

TEST(SimpleOneForOne, simple_one_for_one) {
    EXPECT_THAT(
        did("supervisor sup strategy=simple_one_for_one intensity=2 period=3600s\n  worker child\n"
            "at 1s: sup start_child\nat 1s: sup start_child\n"
            "at 2s: child#1 exits abnormal\nat 3s: child#2 exits abnormal\nat 4s: child#3 exits abnormal\n",
            2),
        ElementsAre("sup reports child_terminated: child#1, abnormal", "sup starts child#3",
                    "sup reports child_terminated: child#2, abnormal", "sup starts child#4",
                    "sup reports child_terminated: child#3, abnormal", "sup reports shutdown: child#3" + gives_up,
                    "sup asks child#4 to stop", "sup exits: shutdown"));
}

TEST(SimpleOneForOne, simple_one_for_one_shutdown) {
    lab::Simulator lab = simulator(
        "supervisor sup strategy=simple_one_for_one\n  worker child shutdown=2s\n"
        "at 1s: sup start_child\nat 1s: sup start_child\nat 1s: sup start_child\n"
        "child#1 takes 1s to stop\nchild#2 takes 1s to stop\nchild#3 takes 5s to stop\nat 10s: sup stop\n");
    lab.run();
    // All at once under one timer: neither 1 + 1 + 2 s nor the 5 s that the third one would like.
    const auto over = std::ranges::find(lab.trace(), lab::TraceLine::Kind::over, &lab::TraceLine::kind);
    EXPECT_EQ(over->at.time_since_epoch(), std::chrono::seconds(12));
}

TEST(SimpleOneForOne, simple_one_for_one_escalation) {
    const Lines lines =
        did("supervisor sup strategy=simple_one_for_one intensity=4 period=3600s\n  worker child\n"
            "at 1s: sup start_child\nat 1s: sup start_child\n"
            "at 2s: child fails 100 starts error\nat 3s: child#1 exits abnormal\n");
    EXPECT_EQ(std::ranges::count(lines, "sup reports start_error: child, error"), 4);
    EXPECT_EQ(lines[lines.size() - 2], "sup asks child#2 to stop");
    EXPECT_EQ(lines.back(), "sup exits: shutdown");
}

TEST(SimpleOneForOne, a_restarted_child_that_answers_ignore_is_dropped) {
    EXPECT_THAT(answers("supervisor sup strategy=simple_one_for_one\n  worker child\n"
                        "at 1s: sup start_child\nat 2s: child ignores 1 starts\nat 3s: child#1 exits boom\n"
                        "at 4s: sup count_children\n"),
                ElementsAre("ok, child#1", "specs 1, active 0, supervisors 0, workers 0"));
}

// --- Intensity and period -------------------------------------------------------------------------------------------

TEST(Intensity, multiple_restarts) {
    const Lines lines =
        did("supervisor sup intensity=1 period=1s\n  worker child1\n"
            "at 1s: child1 exits abnormal\nat 3.1s: child1 exits abnormal\n"
            "at 5.2s: child1 exits abnormal\nat 7.3s: child1 exits abnormal\n");
    EXPECT_EQ(lines.back(), "sup starts child1#5");
}

TEST(Intensity, two_restarts_share_a_window_iff_their_whole_seconds_differ_by_at_most_the_period) {
    const auto allowed = [](int first_ms, int second_ms) {
        RestartWindow window(1, std::chrono::seconds(1));
        EXPECT_TRUE(window.add(Time{} + Duration(first_ms)));
        return window.add(Time{} + Duration(second_ms));
    };
    EXPECT_FALSE(allowed(0, 1000));  // up to the period apart: always
    EXPECT_FALSE(allowed(999, 1999));
    EXPECT_FALSE(allowed(0, 1999));   // between one and two seconds it depends: floors 0 and 1
    EXPECT_TRUE(allowed(999, 2000));  // floors 0 and 2
    EXPECT_FALSE(allowed(800, 1900));
    EXPECT_TRUE(allowed(900, 2000));
    EXPECT_TRUE(allowed(0, 2000));  // period + 1 s apart: never
    EXPECT_TRUE(allowed(999, 2999));
}

TEST(Intensity, the_window_slides) {
    RestartWindow window(2, std::chrono::seconds(10));
    const auto at = [&](int second) { return window.add(Time{} + std::chrono::seconds(second)); };
    EXPECT_TRUE(at(0));
    EXPECT_TRUE(at(5));
    EXPECT_TRUE(at(11));  // the first is forgotten
    EXPECT_TRUE(at(16));
    EXPECT_FALSE(at(21));  // 11, 16 and this one
    EXPECT_EQ(window.size(), 3u);
}

TEST(Intensity, zero_allows_none) {
    EXPECT_THAT(
        did("supervisor sup intensity=0\n  worker a\nat 1s: a exits boom\n"),
        ElementsAre("sup reports child_terminated: a#1, boom",
                    "sup reports shutdown: a#1, reached_max_restart_intensity (1 restart within 5 s, 0 allowed: "
                    "giving up)",
                    "sup exits: shutdown"));
}

TEST(Intensity, a_group_restart_counts_once) {
    const Lines lines =
        did("supervisor sup strategy=one_for_all intensity=1 period=5s\n"
            "  worker a\n  worker b\n  worker c\nat 1s: a exits boom\n");
    EXPECT_EQ(lines.back(), "sup starts c#2");
}

// --- Trees ----------------------------------------------------------------------------------------------------------

TEST(Tree, tree) {
    const std::string script =
        "supervisor top strategy=one_for_all intensity=4 period=3600s\n"
        "  supervisor sup1 intensity=4 period=3600s\n    worker child1\n    worker child2\n"
        "  supervisor sup2 intensity=4 period=3600s\n"
        "  supervisor sup3 restart=transient intensity=4 period=3600s\n"
        "at 1s: top terminate_child sup3\n"
        "at 2s: top count_children\n"
        "at 3s: sup2 start_child worker child3\nat 3s: sup2 start_child worker child4\n"
        "at 4s: child4 exits abnormal\n"  // the one that dies is restarted, nobody else
        "at 5s: sup2 which_children\nat 5s: sup1 which_children\n"
        "at 6s: child3 fails 100 starts error\nat 6s: child3 exits abnormal\n"  // and the subtree, in the end
        "at 7s: top count_children\nat 7s: sup1 count_children\nat 7s: sup2 count_children\n";
    EXPECT_THAT(
        answers(script),
        ElementsAre("ok", "specs 3, active 2, supervisors 3, workers 0", "ok, child3#1", "ok, child4#1",
                    "[child4 running, child3 running]", "[child2 running, child1 running]",
                    "specs 3, active 3, supervisors 3, workers 0", "specs 2, active 2, supervisors 0, workers 2",
                    "specs 0, active 0, supervisors 0, workers 0"));
    const Lines lines = did(script);
    EXPECT_THAT(lines, testing::IsSupersetOf({"top reports child_terminated: sup2#1, shutdown",
                                              "top asks sup1#1 to stop", "top starts sup1#2", "top starts sup2#2",
                                              "top starts sup3#2", "sup1 starts child1#2", "sup1 starts child2#2"}));
}

TEST(Tree, a_permanent_supervisor_that_gives_up_is_restarted_and_counted) {
    EXPECT_THAT(
        did("supervisor top intensity=1 period=60s\n  supervisor sub intensity=0\n    worker a\n"
            "at 1s: a exits boom\nat 2s: a exits boom\n"),
        ElementsAre("sub reports child_terminated: a#1, boom",
                    "sub reports shutdown: a#1, reached_max_restart_intensity (1 restart within 5 s, 0 allowed: "
                    "giving up)",
                    "sub exits: shutdown", "top reports child_terminated: sub#1, shutdown", "top starts sub#2",
                    "sub starts a#2", "sub reports child_terminated: a#2, boom",
                    "sub reports shutdown: a#2, reached_max_restart_intensity (1 restart within 5 s, 0 allowed: "
                    "giving up)",
                    "sub exits: shutdown", "top reports child_terminated: sub#2, shutdown",
                    "top reports shutdown: sub#2, reached_max_restart_intensity (2 restarts within 60 s, 1 "
                    "allowed: giving up)",
                    "top exits: shutdown"));
}

TEST(Tree, a_transient_supervisor_that_gives_up_is_not_restarted) {
    EXPECT_THAT(did("supervisor top\n  supervisor sub intensity=0 restart=transient\n    worker a\n"
                    "at 1s: a exits boom\nat 2s: top which_children\n",
                    2),
                ElementsAre("top answers: [sub undefined]"));
}

TEST(Tree, a_supervisor_that_fails_to_start_fails_its_parent) {
    EXPECT_THAT(
        did("supervisor top\n  worker x\n  supervisor sub\n    worker a\na fails 1 starts broken\n", 0),
        ElementsAre("top starts x#1", "top starts sub#1", "sub starts a#1", "sub reports start_error: a, broken",
                    "sub exits: {shutdown, {failed_to_start_child, a, broken}}",
                    "top reports start_error: sub, {shutdown, {failed_to_start_child, a, broken}}",
                    "top asks x#1 to stop",
                    "top exits: {shutdown, {failed_to_start_child, sub, {shutdown, {failed_to_start_child, a, "
                    "broken}}}}"));
}

// simple_global_supervisor: kill_supervisor, kill_worker, exit_worker, restart_worker (the names are Erlang's own).
TEST(Tree, simple_global_supervisor) {
    const std::string tree =
        "supervisor top strategy=one_for_all intensity=3 period=60s\n"
        "  supervisor middle strategy=one_for_all intensity=3 period=60s\n    worker child\n";
    EXPECT_THAT(
        did(tree + "at 1s: middle exits killed\n"),
        ElementsAre("top reports child_terminated: middle#1, killed", "top starts middle#2", "middle starts child#2"));
    EXPECT_THAT(did(tree + "at 1s: child exits killed\n"),
                ElementsAre("middle reports child_terminated: child#1, killed", "middle starts child#2"));
    EXPECT_THAT(did(tree + "at 1s: child exits normal\n"),
                ElementsAre("middle reports child_terminated: child#1, normal", "middle starts child#2"));
    EXPECT_THAT(did(tree + "at 1s: middle terminate_child child\nat 2s: middle restart_child child\n"),
                ElementsAre("middle asks child#1 to stop", "middle answers: ok", "middle starts child#2",
                            "middle answers: ok, child#2"));
}
