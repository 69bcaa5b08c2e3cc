// What OTP's suite has no case for: max_children (Elixir's), restart_delay (ours), rolling replacement.

#include "04_supervised/otp/supervisor.hpp"
#include "supervisor/play.hpp"

using namespace play;
using namespace otp;

namespace {

// The seconds at which somebody of that id was started.
std::vector<double> starts_of(const std::string& id, const std::string& script) {
    lab::Simulator lab = simulator(script);
    lab.run();
    std::vector<double> seconds;
    for (const lab::TraceLine& line : lab.trace()) {
        if (line.kind == lab::TraceLine::Kind::start && line.subject.starts_with(id + "#")) {
            seconds.push_back(std::chrono::duration<double>(line.at.time_since_epoch()).count());
        }
    }
    return seconds;
}

}  // namespace

TEST(MaxChildren, one_more_is_refused_and_a_restarting_one_counts) {
    EXPECT_THAT(answers("supervisor sup strategy=simple_one_for_one max_children=2 intensity=5\n  worker c\n"
                        "at 1s: sup start_child\nat 1s: sup start_child\nat 2s: sup start_child\n"
                        "at 3s: sup terminate_child c#1\nat 4s: sup start_child\n"
                        "at 5s: c fails 2 starts\nat 6s: c#2 exits boom\n"
                        "when c#5 starts: sup start_child\n"),
                ElementsAre("ok, c#1", "ok, c#2", "error, max_children", "ok", "ok, c#3", "error, max_children"));
}

TEST(RestartDelay, zero_restarts_at_once) {
    EXPECT_THAT(starts_of("a", "supervisor sup\n  worker a\nat 1s: a exits boom\n"), ElementsAre(0, 1));
}

TEST(RestartDelay, it_is_waited_before_each_try_and_not_counted_twice) {
    EXPECT_THAT(starts_of("a",
                          "supervisor sup intensity=3 period=60s restart_delay=500ms\n  worker a\n"
                          "at 0.9s: a fails 2 starts\nat 1s: a exits boom\n"),
                ElementsAre(0, 1.5, 2, 2.5));
}

TEST(RestartDelay, backs_off_to_its_maximum_and_recovers_when_the_window_forgets) {
    EXPECT_THAT(starts_of("a",
                          "supervisor sup intensity=4 period=5s restart_delay=100ms restart_delay_max=300ms\n"
                          "  worker a\nat 0.9s: a fails 3 starts\nat 1s: a exits boom\nat 20s: a exits boom\n"),
                ElementsAre(0, 1.1, testing::DoubleEq(1.3), testing::DoubleEq(1.6), testing::DoubleEq(1.9), 20.1));
}

TEST(RestartDelay, giving_up_does_not_wait) {
    EXPECT_EQ(did("supervisor sup intensity=0 restart_delay=60s\n  worker a\nat 1s: a exits boom\n").back(),
              "sup exits: shutdown");
    lab::Simulator lab = simulator("supervisor sup intensity=0 restart_delay=60s\n  worker a\nat 1s: a exits boom\n");
    lab.run();
    EXPECT_EQ(lab.now().time_since_epoch(), std::chrono::seconds(1));
}

TEST(RestartDelay, a_group_is_stopped_first_and_started_after_it) {
    EXPECT_THAT(did("supervisor sup strategy=one_for_all restart_delay=2s\n  worker a\n  worker b\n"
                    "at 1s: a exits boom\nat 2s: sup which_children\n"),
                ElementsAre("sup reports child_terminated: a#1, boom", "sup asks b#1 to stop",
                            "sup answers: [b undefined, a restarting]", "sup starts a#2", "sup starts b#2"));
}

TEST(RestartDelay, terminate_child_cancels_the_restart) {
    EXPECT_THAT(did("supervisor sup restart_delay=2s\n  worker a\nat 1s: a exits boom\n"
                    "at 2s: sup restart_child a\nat 2s: sup delete_child a\nat 2s: sup terminate_child a\n"
                    "at 5s: sup which_children\n"),
                ElementsAre("sup reports child_terminated: a#1, boom", "sup answers: error, restarting",
                            "sup answers: error, restarting", "sup answers: ok", "sup answers: [a undefined]"));
}

TEST(RestartDelay, the_supervisor_can_be_stopped_in_it) {
    lab::Simulator lab =
        simulator("supervisor sup restart_delay=60s\n  worker a\nat 1s: a exits boom\nat 2s: sup stop\n");
    lab.run();
    EXPECT_EQ(lab.trace().back().text, "exits: shutdown");
    EXPECT_EQ(lab.trace().back().at.time_since_epoch(), std::chrono::seconds(2));
}

TEST(RestartDelay, a_dynamic_child_that_waits_is_found_by_its_last_pid) {
    EXPECT_THAT(answers("supervisor sup strategy=simple_one_for_one restart_delay=5s\n  worker c\n"
                        "at 1s: sup start_child\nat 2s: c#1 exits boom\nat 3s: sup which_children\n"
                        "at 4s: sup terminate_child c#1\nat 9s: sup which_children\n"),
                ElementsAre("ok, c#1", "[c restarting]", "ok", "[]"));
}

TEST(RestartDelay, a_sibling_restarted_by_hand_is_stopped_again_before_the_group_starts) {
    EXPECT_THAT(did("supervisor sup strategy=one_for_all restart_delay=5s\n  worker a\n  worker b\n"
                    "at 1s: a exits boom\nat 2s: sup restart_child b\n",
                    2),
                ElementsAre("sup starts b#2", "sup answers: ok, b#2", "sup asks b#2 to stop", "sup starts a#2",
                            "sup starts b#3"));
}

// How a server replaces its workers without a gap: ordinary requests, nothing else.
TEST(RollingRestart, the_new_one_is_up_before_the_old_one_is_asked_to_stop) {
    EXPECT_THAT(did("supervisor root\n  worker w1\nw2 takes 1s to start\nw1 takes 2s to stop\n"
                    "at 1s: root start_child worker w2\n"
                    "at 1s: root terminate_child w1\nat 1s: root delete_child w1\nat 9s: root which_children\n"),
                ElementsAre("root starts w2#1", "root answers: ok, w2#1", "root asks w1#1 to stop", "root answers: ok",
                            "root answers: ok", "root answers: [w2 running]"));
}

TEST(Core, unknown_pids_and_timers_are_ignored) {
    Supervisor supervisor("sup", {}, {{.id = "a"}});
    const Pid pid = std::get<StartChild>(supervisor.start(Time{}).at(0)).pid;
    supervisor.handle(ChildStarted{pid}, Time{});
    for (const Event& event :
         std::vector<Event>{ChildStarted{99}, ChildIgnored{99}, ChildStartFailed{99, {}}, ChildExited{99, {}},
                            TimerFired{99}, ChildStarted{pid}, ChildIgnored{pid}, ChildStartFailed{pid, {}}}) {
        EXPECT_TRUE(supervisor.handle(event, Time{}).empty()) << event.index();
    }
    EXPECT_EQ(supervisor.count_children().active, 1u);
}

TEST(Core, the_tree_tells_restarts_and_ages) {
    lab::Simulator lab = simulator(
        "supervisor root\n  supervisor sub\n    worker a\nat 2s: a exits boom\n"
        "at 5.5s: root which_children\n");
    lab.run();
    EXPECT_EQ(lab.tree(),
              "root  running\n    sub  sub#1  running  0 restarts  for 5.5 s\n"
              "        a  a#2  running  1 restart  for 3.5 s\n");
}
