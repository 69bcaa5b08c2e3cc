// supervisor_SUITE: {permanent, transient, temporary}_{normal, shutdown, abnormal}, temporary_bystander, the
// significant children. The cases keep OTP's names.

#include "supervisor/play.hpp"

using namespace play;

namespace {

// One child of that kind ends in that way, in the first second.
Lines one_child(const std::string& restart, const std::string& reason) {
    return did("supervisor sup intensity=2 period=3600s\n  worker child1 restart=" + restart +
               "\nat 1s: child1 exits " + reason + "\nat 2s: sup which_children\nat 2s: sup count_children\n");
}

const std::string running = "sup answers: [child1 running]";
const std::string stays = "sup answers: [child1 undefined]";
const std::string gone = "sup answers: []";
const std::string counts_running = "sup answers: specs 1, active 1, supervisors 0, workers 1";
const std::string counts_stays = "sup answers: specs 1, active 0, supervisors 0, workers 1";
const std::string counts_gone = "sup answers: specs 0, active 0, supervisors 0, workers 0";
const std::string reports = "sup reports child_terminated: child1#1, ";
const std::string restarts = "sup starts child1#2";

}  // namespace

TEST(NormalTermination, permanent_normal) {
    EXPECT_THAT(one_child("permanent", "normal"), ElementsAre(reports + "normal", restarts, running, counts_running));
}
TEST(NormalTermination, transient_normal) {
    EXPECT_THAT(one_child("transient", "normal"), ElementsAre(stays, counts_stays));
}
TEST(NormalTermination, temporary_normal) {
    EXPECT_THAT(one_child("temporary", "normal"), ElementsAre(gone, counts_gone));
}

TEST(ShutdownTermination, permanent_shutdown) {
    EXPECT_THAT(one_child("permanent", "shutdown"),
                ElementsAre(reports + "shutdown", restarts, running, counts_running));
    EXPECT_THAT(one_child("permanent", "shutdown:some_info"),
                ElementsAre(reports + "{shutdown, some_info}", restarts, running, counts_running));
}
TEST(ShutdownTermination, transient_shutdown) {
    EXPECT_THAT(one_child("transient", "shutdown"), ElementsAre(stays, counts_stays));
    EXPECT_THAT(one_child("transient", "shutdown:some_info"), ElementsAre(stays, counts_stays));
}
TEST(ShutdownTermination, temporary_shutdown) {
    EXPECT_THAT(one_child("temporary", "shutdown"), ElementsAre(gone, counts_gone));
    EXPECT_THAT(one_child("temporary", "shutdown:some_info"), ElementsAre(gone, counts_gone));
}

TEST(AbnormalTermination, permanent_abnormal) {
    EXPECT_THAT(one_child("permanent", "abnormal"),
                ElementsAre(reports + "abnormal", restarts, running, counts_running));
}
TEST(AbnormalTermination, transient_abnormal) {
    EXPECT_THAT(one_child("transient", "abnormal"),
                ElementsAre(reports + "abnormal", restarts, running, counts_running));
    EXPECT_THAT(one_child("transient", "killed"), ElementsAre(reports + "killed", restarts, running, counts_running));
}
TEST(AbnormalTermination, temporary_abnormal) {
    EXPECT_THAT(one_child("temporary", "abnormal"), ElementsAre(reports + "abnormal", gone, counts_gone));
}

TEST(Temporary, temporary_bystander) {
    for (const std::string strategy : {"one_for_all", "rest_for_one"}) {
        EXPECT_THAT(did("supervisor sup intensity=2 period=300s strategy=" + strategy +
                        "\n  worker child1\n  worker child2 restart=temporary\n"
                        "at 1s: child1 exits normal\nat 2s: sup which_children\n"),
                    ElementsAre("sup reports child_terminated: child1#1, normal", "sup asks child2#1 to stop",
                                "sup starts child1#2", running))
            << strategy;
    }
}

TEST(Temporary, temporary_children_are_not_counted) {
    EXPECT_THAT(did("supervisor sup intensity=0\n  worker a restart=temporary\n  worker b restart=temporary\n"
                    "at 1s: a exits boom\nat 1s: b exits boom\nat 2s: sup which_children\n",
                    2),
                ElementsAre(gone));
}

// --- Significant children -------------------------------------------------------------------------------------------

namespace {

// child1 and child2 are significant, child3 is not; then the events.
std::string significant(const std::string& restart, const std::string& mode, const std::string& events) {
    return "supervisor sup intensity=5 auto_shutdown=" + mode +
           "\n  worker child1 significant=true restart=" + restart +
           "\n  worker child2 significant=true restart=" + restart + "\n  worker child3 restart=" + restart + "\n" +
           events;
}

}  // namespace

TEST(Significant, nonsignificant_temporary) {
    for (const std::string mode : {"never", "any_significant", "all_significant"}) {
        for (const std::string reason : {"normal", "abnormal", "killed"}) {
            EXPECT_THAT(did("supervisor sup auto_shutdown=" + mode + "\n  worker child1 restart=temporary\n" +
                                "at 1s: child1 exits " + reason + "\nat 2s: sup which_children\n",
                            2),
                        ElementsAre(gone));
        }
    }
}

TEST(Significant, nonsignificant_transient) {
    for (const std::string mode : {"never", "any_significant", "all_significant"}) {
        EXPECT_THAT(did("supervisor sup intensity=5 auto_shutdown=" + mode + "\n  worker child1 restart=transient\n" +
                        "at 1s: child1 exits killed\nat 2s: child1 exits normal\nat 3s: sup which_children\n"),
                    ElementsAre(reports + "killed", restarts, stays));
    }
}

TEST(Significant, significant_temporary) {
    const Lines ends{"sup asks child3#1 to stop", "sup asks child2#1 to stop", "sup exits: shutdown"};
    EXPECT_EQ(did(significant("temporary", "any_significant", "at 1s: child1 exits normal\n")), ends);
    for (const std::string reason : {"killed", "abnormal"}) {
        const Lines lines = did(significant("temporary", "any_significant", "at 1s: child1 exits " + reason + "\n"));
        EXPECT_EQ(lines, (Lines{reports + reason, ends[0], ends[1], ends[2]}));
    }
    // Stopped by the supervisor, it did not end by itself.
    EXPECT_THAT(did(significant("temporary", "any_significant",
                                "at 1s: sup terminate_child child1\nat 2s: sup which_children\n"),
                    2),
                ElementsAre("sup answers: [child3 running, child2 running]"));
    EXPECT_THAT(
        did(significant("temporary", "all_significant", "at 1s: child1 exits normal\nat 2s: child2 exits normal\n")),
        ElementsAre("sup asks child3#1 to stop", "sup exits: shutdown"));
}

TEST(Significant, significant_transient) {
    EXPECT_THAT(
        did(significant("transient", "any_significant",
                        "at 1s: child1 exits killed\nat 2s: child1 exits abnormal\nat 3s: child1 exits normal\n")),
        ElementsAre(reports + "killed", restarts, "sup reports child_terminated: child1#2, abnormal",
                    "sup starts child1#3", "sup asks child3#1 to stop", "sup asks child2#1 to stop",
                    "sup exits: shutdown"));
    EXPECT_THAT(did(significant("transient", "any_significant",
                                "at 1s: sup terminate_child child1\n"
                                "at 2s: sup count_children\n"),
                    2),
                ElementsAre("sup answers: specs 3, active 2, supervisors 0, workers 3"));
    EXPECT_THAT(
        did(significant("transient", "all_significant", "at 1s: child1 exits normal\nat 2s: child2 exits shutdown\n")),
        ElementsAre("sup asks child3#1 to stop", "sup exits: shutdown"));
}

TEST(Significant, significant_simple) {
    const std::string two =
        "\n  worker c restart=temporary significant=true\n"
        "at 1s: sup start_child\nat 1s: sup start_child\n";
    EXPECT_THAT(did("supervisor sup strategy=simple_one_for_one auto_shutdown=any_significant" + two +
                        "at 2s: c#1 exits normal\n",
                    2),
                ElementsAre("sup asks c#2 to stop", "sup exits: shutdown"));
    EXPECT_THAT(did("supervisor sup strategy=simple_one_for_one auto_shutdown=all_significant" + two +
                        "at 2s: c#1 exits normal\nat 3s: sup count_children\nat 4s: c#2 exits normal\n",
                    2),
                ElementsAre("sup answers: specs 1, active 1, supervisors 0, workers 1", "sup exits: shutdown"));
}

TEST(Significant, significant_bystander) {
    for (const std::string strategy : {"one_for_one", "one_for_all", "rest_for_one"}) {
        for (const std::string mode : {"any_significant", "all_significant"}) {
            EXPECT_THAT(
                did("supervisor sup intensity=5 strategy=" + strategy + " auto_shutdown=" + mode +
                        "\n  worker child1 restart=transient significant=true\n  worker child2 restart=transient\n"
                        "  worker child3 restart=transient significant=true\n"
                        "at 1s: child2 exits killed\nat 2s: sup which_children\n",
                    2),
                ElementsAre("sup answers: [child3 running, child2 running, child1 running]"))
                << strategy << mode;
        }
    }
}

TEST(Significant, significant_escalation) {
    // A significant supervisor that shuts itself down takes its own supervisor along.
    EXPECT_THAT(did("supervisor top auto_shutdown=any_significant\n"
                    "  supervisor sup1 restart=transient significant=true auto_shutdown=any_significant\n"
                    "    worker child1 restart=transient significant=true\n"
                    "  worker other\n"
                    "at 1s: child1 exits normal\n"),
                ElementsAre("sup1 exits: shutdown", "top asks other#1 to stop", "top exits: shutdown"));
}
