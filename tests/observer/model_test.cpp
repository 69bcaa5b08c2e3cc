// The story folded into a picture: what each view shows after what was told.

#include "observer/story.hpp"

namespace observed {
namespace {

using testing::ElementsAre;
namespace bounds = observer::bounds;

std::vector<std::string> keys(const json::object& object) {
    std::vector<std::string> all;
    for (const auto& [key, value] : object) all.emplace_back(key);
    return all;
}

void begin(Story& story, std::string_view program = "03_acceptor_pool") {
    story.take("Listening on 127.0.0.1:1234");
    story.tell("server", "started", R"("pid":4711,"program":")" + std::string(program) + R"(","version":"0.1.0")");
}

void comes(Story& story, const std::string& who, const std::string& peer, const std::string& acceptor = "acceptor 1") {
    story.tell(acceptor, "got_client_connection", R"("peer":")" + peer + R"(")");
    story.tell(who, "serves", R"("peer":")" + peer + R"(")");
    story.tell(who, "waits_for_data");
}

TEST(Picture, HasElevenKeysAlways) {
    Story story;
    const auto eleven = ElementsAre("server", "door", "acceptors", "clients", "processes", "tree", "restarts", "rates",
                                    "heartbeats", "rooms", "story");
    EXPECT_THAT(keys(story.model.picture(0)), eleven);
    begin(story);
    comes(story, "handler 1", "127.0.0.1:5");
    EXPECT_THAT(keys(story.model.picture(story.now)), eleven);
}

TEST(Picture, TheSameStoryMakesTheSamePicture) {
    Story one, other;
    for (auto* const story : {&one, &other}) {
        begin(*story);
        comes(*story, "handler 1", "127.0.0.1:5");
        story->tell("handler 1", "got_data_from_client", R"("data":"hello")");
    }
    EXPECT_EQ(one.model.picture(one.now), other.model.picture(other.now));
}

TEST(ServerView, SaysWhoItIsAndHowItGoes) {
    Story story;
    EXPECT_EQ(story.see("/server/state"), "starts");
    begin(story);
    EXPECT_EQ(story.see("/server/state"), "serves");
    EXPECT_EQ(story.see("/server/program"), "03_acceptor_pool");
    EXPECT_EQ(story.see("/server/address"), "127.0.0.1:1234");
    story.tell("server", "got_signal", R"("signal":"SIGTERM")");
    EXPECT_EQ(story.see("/server/state"), "stops");
    story.tell("server", "stopped");
    story.observe("ended", R"({"how":"with exit status 0","exit_status":0})");
    EXPECT_EQ(story.see("/server/state"), "ended");
    EXPECT_EQ(story.see("/server/ended_badly"), false);
    EXPECT_EQ(story.see("/server/how_it_ended"), "with exit status 0");
}

TEST(ServerView, CountsWhatWasLeftOutAndWhatNobodyUnderstands) {
    Story story;
    story.tell("server", "left_out", R"("lines":40)");
    story.tell("server", "left_out", R"("lines":2)");
    story.model.take_unreadable();
    EXPECT_EQ(story.see("/server/left_out"), 42);
    EXPECT_EQ(story.see("/server/unreadable"), 1);
}

TEST(Door, ShowsWhatTheKernelSaysUntilTheServerHasGone) {
    Story story;
    EXPECT_EQ(story.see("/door/known"), false);
    story.observe("door", R"({"waits":4,"waiting":[{"peer":"127.0.0.1:5","unread":9}],"waiting_unread":36,"accepted":1,
                              "unread":0,"unsent":0,"left_out":3,"sockets":[]})");
    EXPECT_EQ(story.see("/door/known"), true);
    EXPECT_EQ(story.see("/door/waits"), 4);
    EXPECT_EQ(story.see("/door/waiting/0/peer"), "127.0.0.1:5");
    EXPECT_EQ(story.see("/door/waiting_unread"), 36);
    story.observe("ended_badly", R"({"how":"by signal SEGV","exit_status":139})");
    EXPECT_EQ(story.see("/door/known"), false);
}

TEST(Door, BytesOfASocketAreShownAtItsClient) {
    Story story;
    comes(story, "handler 1", "127.0.0.1:5");
    story.observe("door", R"({"waits":0,"waiting":[],"sockets":[{"peer":"127.0.0.1:5","unread":7,"unsent":4096}]})");
    EXPECT_EQ(story.see("/clients/shown/0/unread"), 7);
    EXPECT_EQ(story.see("/clients/shown/0/unsent"), 4096);
    EXPECT_EQ(story.see("/door/sockets"), "there is no /door/sockets") << "they are the clients' matter";
}

TEST(Processes, CountsMayBeUnsignedAsThoseOfTheKernelAre) {
    observer::Model model;
    const json::object process{{"name", "01_naive"}, {"thread_count", std::uint64_t{3}}};
    model.take(observer::tell(observer::second, "processes", {{"shown", json::array{process}}}));
    EXPECT_EQ(json::value(model.picture(observer::second)).at_pointer("/processes/shown/0/thread_count"), 3);
}

TEST(Acceptors, WaitWorkAndAreCounted) {
    Story story;
    for (const auto* const who : {"acceptor 1", "acceptor 2", "acceptor 10"}) story.tell(who, "waits_for_client");
    comes(story, "handler 1", "127.0.0.1:5", "acceptor 2");
    EXPECT_EQ(story.see("/acceptors/waiting"), 2);
    EXPECT_EQ(story.see("/acceptors/shown/1/who"), "acceptor 2");
    EXPECT_EQ(story.see("/acceptors/shown/1/state"), "works");
    EXPECT_EQ(story.see("/acceptors/shown/1/peer"), "127.0.0.1:5");
    EXPECT_EQ(story.see("/acceptors/shown/1/got"), 1);
    EXPECT_EQ(story.see("/acceptors/shown/2/who"), "acceptor 10") << "numbers in their order";
    story.tell("acceptor 2", "waits_for_client");
    EXPECT_EQ(story.see("/acceptors/waiting"), 3);
    story.tell("acceptor 1", "crashed", R"("reason":"!throw")");
    EXPECT_EQ(story.see("/acceptors/shown/0/state"), "crashed: !throw");
    EXPECT_EQ(story.see("/acceptors/shown/0/has_ended"), true);
}

TEST(Clients, AreKnownWithPeerAcceptorAndWords) {
    Story story;
    comes(story, "handler 7", "127.0.0.1:5", "acceptor 3");
    story.tell("handler 7", "runs_in_loop", R"("loop":2)");
    story.tell("handler 7", "got_data_from_client", R"("data":"<img src=x>")");
    EXPECT_EQ(story.see("/clients/now"), 1);
    EXPECT_EQ(story.see("/clients/shown/0/peer"), "127.0.0.1:5");
    EXPECT_EQ(story.see("/clients/shown/0/acceptor"), "acceptor 3");
    EXPECT_EQ(story.see("/clients/shown/0/loop"), 2);
    EXPECT_EQ(story.see("/clients/shown/0/packets"), 1);
    EXPECT_EQ(story.see("/clients/shown/0/last"), "<img src=x>");
    EXPECT_EQ(story.see("/clients/shown/0/state"), "works");
    story.tell("handler 7", "waits_for_data");
    EXPECT_EQ(story.see("/clients/shown/0/state"), "waits");
}

TEST(Clients, GoWithAReasonAndStayAMoment) {
    Story story;
    comes(story, "handler 1", "127.0.0.1:5");
    comes(story, "handler 2", "127.0.0.1:6");
    story.tell("handler 1", "connection_closed");
    story.tell("handler 2", "crashed", R"("reason":"!throw")");
    EXPECT_EQ(story.see("/clients/now"), 0);
    EXPECT_EQ(story.see("/clients/went"), 2);
    EXPECT_EQ(story.see("/clients/gone/0/why"), "the client has closed");
    EXPECT_EQ(story.see("/clients/gone/0/failed"), false);
    EXPECT_EQ(story.see("/clients/gone/1/why"), "crashed: !throw");
    EXPECT_EQ(story.see("/clients/gone/1/failed"), true);
    story.wait(4 * second);
    EXPECT_EQ(story.see("/clients/gone"), json::array());
}

TEST(Clients, InTheFirstStageTheServerItselfServesOneAtATime) {
    Story story;
    begin(story, "01_naive");
    story.tell("server", "waits_for_client");
    comes(story, "server", "127.0.0.1:5", "server");
    EXPECT_EQ(story.see("/clients/now"), 1);
    EXPECT_EQ(story.see("/acceptors/shown/0/state"), "works");
    story.tell("server", "connection_closed");
    story.tell("server", "waits_for_client");
    comes(story, "server", "127.0.0.1:6", "server");
    EXPECT_EQ(story.see("/clients/now"), 1);
    EXPECT_EQ(story.see("/clients/came"), 2);
    EXPECT_EQ(story.see("/clients/shown/0/peer"), "127.0.0.1:6");
}

TEST(Clients, AllWhoWereThereGoWithTheServerAndStayOnThePage) {
    Story story;
    begin(story);
    comes(story, "handler 1", "127.0.0.1:5");
    comes(story, "handler 2", "127.0.0.1:6");
    story.tell("handler 2", "got_data_from_client", R"("data":"!segv")");
    story.observe("ended_badly", R"({"how":"by signal SEGV","exit_status":139})");
    story.wait(60 * second);
    EXPECT_EQ(story.see("/clients/now"), 0);
    EXPECT_EQ(story.see("/clients/gone/0/why"), "went with the server: by signal SEGV");
    EXPECT_EQ(story.see("/clients/gone/1/last"), "!segv");
    EXPECT_EQ(story.see("/server/ended_badly"), true);
    EXPECT_EQ(story.see("/story/failed/0/text"), "observer sees the server end by signal SEGV");
}

class Supervised : public testing::Test {
protected:
    Supervised() {
        begin(story, "04_supervised");
        story.tell("supervisor", "supervisor_started",
                   R"("supervisor":"root","strategy":"one_for_one","intensity":3,"period_s":5)");
        for (const auto* const number : {"1", "2"}) starts(number, std::string("100") + number);
    }
    void starts(const std::string& number, const std::string& pid) {
        story.tell("supervisor", "supervisor_progress",
                   R"("supervisor":"root","child":"worker-)" + number + R"(","pid":)" + pid);
        const auto worker = "worker " + number;
        story.tell(worker + " supervisor", "starts_child",
                   R"("supervisor":"worker-)" + number + R"(","child":"sessions","pid":"<1>")");
        story.tell(worker + " supervisor", "starts_child",
                   R"("supervisor":"acceptors","child":"acceptor-1","pid":"<1>")");
        story.tell(worker + " supervisor", "starts_child",
                   R"("supervisor":"worker-)" + number + R"(","child":"acceptors","pid":"<2>")");
    }
    void crashes(const std::string& number, const std::string& reason = "SIGSEGV") {
        story.tell("supervisor", "supervisor_report",
                   R"("supervisor":"root","context":"child_terminated","reason":")" + reason +
                       R"(","offender":"worker-)" + number + R"(","pid":1002,"restarts":1)");
    }
    Story story;
};

TEST_F(Supervised, ClientsGoWithTheirWorkerAndNobodyElse) {
    comes(story, "worker 1 handler 1", "127.0.0.1:5", "worker 1 acceptor 1");
    comes(story, "worker 2 handler 1", "127.0.0.1:6", "worker 2 acceptor 1");
    crashes("2");
    EXPECT_EQ(story.see("/clients/now"), 1);
    EXPECT_EQ(story.see("/clients/shown/0/who"), "worker 1 handler 1");
    EXPECT_EQ(story.see("/clients/gone/0/who"), "worker 2 handler 1");
    EXPECT_EQ(story.see("/clients/gone/0/why"), "went with worker-2: SIGSEGV");
    EXPECT_EQ(story.see("/acceptors/shown/0/process"), 1);
    EXPECT_EQ(story.see("/acceptors/shown/1"), "there is no /acceptors/shown/1");
}

TEST_F(Supervised, NumbersRepeatInTheNewLifeOfAWorker) {
    comes(story, "worker 2 handler 1", "127.0.0.1:6", "worker 2 acceptor 1");
    crashes("2");
    starts("2", "1003");
    comes(story, "worker 2 handler 1", "127.0.0.1:7", "worker 2 acceptor 1");
    EXPECT_EQ(story.see("/clients/now"), 1);
    EXPECT_EQ(story.see("/clients/shown/0/peer"), "127.0.0.1:7");
    EXPECT_EQ(story.see("/clients/came"), 2);
}

TEST_F(Supervised, AWorkerThatIsStoppedWithoutAReportTakesItsClientsAlong) {
    comes(story, "worker 1 handler 1", "127.0.0.1:5", "worker 1 acceptor 1");
    crashes("2");
    starts("1", "1004");  // one_for_all
    EXPECT_EQ(story.see("/clients/now"), 0);
    EXPECT_EQ(story.see("/clients/gone/0/why"), "went with worker-1, which was stopped");
}

TEST_F(Supervised, TheTreeHasPidsRestartsReasonsAndWhatIsInside) {
    EXPECT_EQ(story.see("/tree/0/name"), "root");
    EXPECT_EQ(story.see("/tree/0/strategy"), "one_for_one");
    EXPECT_EQ(story.see("/tree/1"), "there is no /tree/1") << "workers' supervisors stand below the root";
    EXPECT_EQ(story.see("/tree/0/children/1/id"), "worker-2");
    EXPECT_EQ(story.see("/tree/0/children/1/pid"), "1002");
    EXPECT_EQ(story.see("/tree/0/children/1/supervisor/children/0/id"), "sessions");
    EXPECT_EQ(story.see("/tree/0/children/1/supervisor/children/1/supervisor/children/0/id"), "acceptor-1");
    crashes("2");
    EXPECT_EQ(story.see("/tree/0/children/1/state"), "ended");
    EXPECT_EQ(story.see("/tree/0/children/1/reason"), "SIGSEGV");
    starts("2", "1003");
    EXPECT_EQ(story.see("/tree/0/children/1/state"), "running");
    EXPECT_EQ(story.see("/tree/0/children/1/pid"), "1003");
    EXPECT_EQ(story.see("/tree/0/children/1/restarts"), 1);
}

TEST_F(Supervised, TheRestartWindowFillsEmptiesAndOverflows) {
    EXPECT_EQ(story.see("/restarts/0/intensity"), 3);
    EXPECT_EQ(story.see("/restarts/0/within"), 0);
    crashes("2");
    crashes("2");
    EXPECT_EQ(story.see("/restarts/0/within"), 2);
    story.wait(10 * second);
    EXPECT_EQ(story.see("/restarts/0/within"), 0);
    EXPECT_EQ(story.see("/restarts/0/marks").as_array().size(), 2u) << "still to be seen";
    for (int i = 0; i < 4; ++i) crashes("2");
    story.tell("supervisor", "gives_up", R"("supervisor":"root","why":"4 restarts within 5 s, 3 allowed")");
    EXPECT_EQ(story.see("/restarts/0/within"), 4);
    EXPECT_EQ(story.see("/restarts/0/gave_up"), "4 restarts within 5 s, 3 allowed");
}

TEST_F(Supervised, ASessionThatThrowsIsNoRestart) {
    comes(story, "worker 2 handler 1", "127.0.0.1:6", "worker 2 acceptor 1");
    story.tell(
        "worker 2 supervisor", "supervisor_report",
        R"("supervisor":"sessions","context":"child_terminated","reason":"!throw","offender":"session","pid":"handler 1","restarts":0)");
    EXPECT_EQ(story.see("/clients/gone/0/why"), "crashed: !throw");
    EXPECT_EQ(story.see("/restarts/0/within"), 0);
    EXPECT_EQ(story.see("/restarts/1"), "there is no /restarts/1");
}

TEST_F(Supervised, HeartbeatsAgeAndTheHungOneIsNamed) {
    story.tell("server", "answers", R"("child":"worker-2","after_ms":1,"limit_ms":2000)");
    const auto answered = story.now;
    story.wait(2 * second);
    story.tell("server", "does_not_answer", R"("child":"worker-2","hung_ms":2000,"signal":"SIGABRT")");
    EXPECT_EQ(story.see("/heartbeats/0/answered"), answered);
    EXPECT_EQ(story.see("/heartbeats/0/limit_ms"), 2000);
    EXPECT_EQ(story.see("/heartbeats/0/signal"), "SIGABRT");
    crashes("2", "no heartbeat within 2000 ms: SIGABRT");
    EXPECT_EQ(story.see("/heartbeats"), json::array());
}

TEST_F(Supervised, AWorkerThatWasReplacedIsForgotten) {
    comes(story, "worker 1 handler 1", "127.0.0.1:5", "worker 1 acceptor 1");
    story.tell("server", "replaces", R"("child":"worker-1","successor":"worker-3")");
    EXPECT_EQ(story.see("/tree/0/children/0/state"), "is replaced");
    starts("3", "1005");
    story.tell("worker 1", "stops_accepting");
    EXPECT_EQ(story.see("/tree/0/children/0/state"), "drains");
    EXPECT_EQ(story.see("/clients/now"), 1) << "it goes on while it drains";
    story.tell("server", "replaced", R"("child":"worker-1","successor":"worker-3")");
    EXPECT_EQ(story.see("/tree/0/children/0/id"), "worker-2");
    EXPECT_EQ(story.see("/clients/now"), 0);
}

TEST(RateView, CountsEachSecondAndForgetsAfterTwoMinutes) {
    Story story;
    comes(story, "handler 1", "127.0.0.1:5");
    story.tell("handler 1", "got_data_from_client", R"("data":"a")");
    story.tell("handler 1", "got_data_from_client", R"("data":"b")");
    const std::string last = std::to_string(bounds::rate_seconds - 1);
    EXPECT_EQ(story.see("/rates/packets/" + last), 2);
    EXPECT_EQ(story.see("/rates/accepts/" + last), 1);
    story.wait(second);
    EXPECT_EQ(story.see("/rates/packets/" + last), 0);
    EXPECT_EQ(story.see("/rates/packets/" + std::to_string(bounds::rate_seconds - 2)), 2);
    story.wait(static_cast<Time>(bounds::rate_seconds) * second);
    const auto counts = story.see("/rates/packets");  // a loop over a part of it would outlive it
    for (const auto& count : counts.as_array()) EXPECT_EQ(count, 0);
    story.tell("handler 1", "got_data_from_client", R"("data":"c")");
    EXPECT_EQ(story.see("/rates/packets/" + last), 1);
}

TEST(Rooms, SayWhoIsWhereAndWhatWasSaidLast) {
    Story story;
    story.tell("server", "opens_room", R"("room":"lobby")");
    story.tell("handler 1", "has_in_room", R"("name":"Michael","room":"lobby")");
    story.tell("link 1", "has_in_room", R"("name":"Mikey","room":"lobby")");
    story.tell("handler 1", "got_data_from_client", R"("data":"Hello!")");
    story.tell("handler 1", "got_data_from_client", R"("data":"/who")");
    EXPECT_EQ(story.see("/rooms/shown/0/name"), "lobby");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 2);
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/name"), "Michael");
    EXPECT_EQ(story.see("/rooms/shown/0/people/1/via"), "link 1");
    EXPECT_EQ(story.see("/rooms/shown/0/lines"), (json::array{{{"name", "Michael"}, {"text", "Hello!"}}}));
    EXPECT_EQ(story.see("/clients/shown/0/name"), "Michael");
    story.tell("handler 1", "has_in_room", R"("name":"Michael","room":"tea")");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 1) << "at a terminal one is in one room";
    story.tell("link 1", "link_lost", R"("reason":"closed")");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 0);
    story.tell("server", "closes_room", R"("room":"lobby")");
    EXPECT_EQ(story.see("/rooms/shown/0/name"), "tea");
}

TEST(Rooms, PeopleLeaveWithTheirWorker) {
    Story story;
    story.tell("worker 2 handler 1", "has_in_room", R"("name":"Michael","room":"lobby")");
    story.tell("worker 1 handler 1", "has_in_room", R"("name":"Mikey","room":"lobby")");
    story.tell(
        "supervisor", "supervisor_report",
        R"("supervisor":"root","context":"child_terminated","reason":"SIGSEGV","offender":"worker-2","pid":2,"restarts":1)");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 1);
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/name"), "Mikey");
}

/// What follows in the rooms, as a process tells it: `worker 2` or `server`.
void line(Story& story, std::string_view who, std::string_view kind, std::string_view name, int sequence,
          std::string_view room = "lobby", std::string_view text = "") {
    story.tell(who, "room_line",
               R"("room":")" + std::string(room) + R"(","kind":")" + std::string(kind) + R"(","name":")" +
                   std::string(name) + R"(","sequence":)" + std::to_string(sequence) + R"(,"text":")" +
                   std::string(text) + R"(")");
}

TEST(Rooms, TheOrderIsTakenFromWhoeverTellsItFirst) {
    Story story;
    line(story, "worker 1", "joined", "Ann", 1);
    line(story, "worker 1", "said", "Ann", 2, "lobby", "Hello!");
    line(story, "worker 2", "joined", "Ann", 1);
    line(story, "worker 2", "said", "Ann", 2, "lobby", "Hello!");
    line(story, "worker 1", "left", "Ann", 3);
    line(story, "worker 1", "joined", "Bob", 4);
    line(story, "worker 2", "left", "Ann", 3);
    EXPECT_EQ(story.see("/rooms/shown/0/said"), 1);
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 1);
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/name"), "Bob");
    EXPECT_EQ(story.see("/rooms/sequence"), 4);
    EXPECT_EQ(story.see("/rooms/shown/0/lines"), (json::array{{{"name", "Ann"}, {"text", "Hello!"}}}));
}

TEST(Rooms, WhatPeopleTypeIsNoGuessWhereTheOrderIsTold) {
    Story story;
    line(story, "server", "joined", "Ann", 1);
    story.tell("handler 1", "has_in_room", R"("name":"Ann","room":"lobby")");
    story.tell("handler 1", "got_data_from_client", R"("data":"refused")");
    EXPECT_EQ(story.see("/rooms/shown/0/said"), 0);
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/via"), "handler 1");
}

TEST(Rooms, AreTheSameHoweverTheirNamesAreWritten) {
    Story story;
    story.tell("server", "opens_room", R"("room":"Tea")");
    line(story, "server", "joined", "Ann", 1, "Tea");
    line(story, "server", "joined", "Bob", 2, "TEA");
    story.tell("handler 2", "has_in_room", R"("name":"Bob","room":"TEA")");
    EXPECT_EQ(story.see("/rooms/shown/0/name"), "Tea");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 2);
    EXPECT_EQ(story.see("/rooms/shown/1"), "there is no /rooms/shown/1");
    story.tell("handler 2", "has_no_longer_in_room", R"("name":"Bob","room":"tea")");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 1);
    story.tell("server", "closes_room", R"("room":"tEA")");
    EXPECT_EQ(story.see("/rooms/shown"), json::array());
}

TEST(Rooms, AreOpenAsLongAsOneProcessHasThemOpen) {
    Story story;
    for (const auto* const worker : {"worker 1", "worker 2"}) story.tell(worker, "opens_room", R"("room":"tea")");
    story.tell("worker 1", "closes_room", R"("room":"tea")");
    EXPECT_EQ(story.see("/rooms/shown/0/name"), "tea") << "the other one is not so far yet";
    story.tell("worker 2", "closes_room", R"("room":"tea")");
    EXPECT_EQ(story.see("/rooms/shown"), json::array());
}

TEST(Rooms, BeginAnewWithThoseWhoAreFoundThere) {
    Story story;
    line(story, "server", "joined", "Ann", 1);
    story.tell("server", "rooms_begin_anew", R"("sequence":7)");
    EXPECT_EQ(story.see("/rooms/shown"), json::array());
    story.tell("server", "finds_in_room", R"("name":"Bob","room":"tea","node":"there","sequence":7)");
    story.tell("server", "finds_in_room", R"("name":"Eve","room":"tea","node":"","sequence":7)");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 2);
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/node"), "there");
    line(story, "server", "left", "Bob", 7, "tea");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 2) << "that was before";
    line(story, "server", "left", "Bob", 8, "tea");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 1);
}

/// The other nodes hear of its end when its lease has ended.
TEST(Rooms, WhoseWorkerHasDiedIsThereUntilTheOrderSaysOtherwise) {
    Story story;
    story.tell("worker 2", "has_lease", R"("node":"n2","lease":17,"epoch":4,"revision":9,"waiting":0,"silent_ms":3)");
    line(story, "worker 2", "joined", "Ann", 1);
    story.tell("worker 2 handler 1", "has_in_room", R"("name":"Ann","room":"lobby")");
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/node"), "n2");
    EXPECT_EQ(story.see("/rooms/nodes/0/people"), 1);
    story.tell("supervisor", "supervisor_report",
               R"("supervisor":"root","context":"child_terminated","reason":"SIGSEGV","offender":"worker-2","pid":2)");
    EXPECT_EQ(story.see("/rooms/nodes"), json::array());
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/via"), "");
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/node"), "n2");
    line(story, "worker 1", "left", "Ann", 2);
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 0);
}

TEST(Links, HaveTheirNodeTheirPeopleAndHowFarTheyAreBehind) {
    Story story;
    story.tell("link 1", "is_linked", R"("node":"here:1235","peer":"127.0.0.1:5")");
    story.tell("link 1", "has_in_room", R"("name":"Mikey","room":"lobby")");
    story.tell("link 1", "is_behind", R"("bytes":70000,"most":1048576)");
    EXPECT_EQ(story.see("/rooms/links/0/node"), "here:1235");
    EXPECT_EQ(story.see("/rooms/links/0/people"), 1);
    EXPECT_EQ(story.see("/rooms/links/0/behind_most"), 1048576);
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/behind"), 70000);
    EXPECT_EQ(story.see("/rooms/shown/0/people/0/node"), "here:1235");
    story.tell("link 1", "link_lost", R"("reason":"closed")");
    EXPECT_EQ(story.see("/rooms/links"), json::array());
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 0);
    EXPECT_EQ(story.see("/rooms/elsewhere"), nullptr);
    story.tell("server", "room_is_down", R"("room":"127.0.0.1:1235","reason":"connection refused")");
    EXPECT_EQ(story.see("/rooms/elsewhere/up"), false);
    story.tell("server", "room_is_up", R"("room":"127.0.0.1:1235")");
    EXPECT_EQ(story.see("/rooms/elsewhere/up"), true);
}

TEST(Nodes, HaveTheirLeaseAndTheirPlaceInTheLog) {
    Story story;
    const auto stands = [&](std::string_view who, std::string_view node, int epoch, int revision) {
        story.tell(who, "has_lease",
                   R"("node":")" + std::string(node) + R"(","lease":17,"epoch":)" + std::to_string(epoch) +
                       R"(,"revision":)" + std::to_string(revision) + R"(,"waiting":2,"silent_ms":3)");
    };
    stands("worker 1", "n1", 3, 9);
    stands("worker 2", "n2", 4, 8);
    story.tell("worker 1", "knows_node", R"("node":"outside","epoch":5)");
    story.tell("worker 2", "node_has_in_room", R"("node":"outside","name":"Xavier","room":"lobby")");
    EXPECT_EQ(story.see("/rooms/shown"), json::array()) << "that was long ago";
    line(story, "worker 1", "joined", "Xavier", 7);
    story.tell("worker 1", "node_has_in_room", R"("node":"outside","name":"Xavier","room":"lobby")");
    EXPECT_EQ(story.see("/rooms/nodes/0/process"), 1);
    EXPECT_EQ(story.see("/rooms/nodes/1/revision"), 8);
    EXPECT_EQ(story.see("/rooms/nodes/1/waiting"), 2);
    EXPECT_EQ(story.see("/rooms/nodes/2/lease"), 0) << "nobody whom we hear";
    EXPECT_EQ(story.see("/rooms/nodes/2/people"), 1);
    story.tell("worker 2", "log_is_silent", R"("etcd":"e","silent_ms":2000,"reason":"no answer")");
    EXPECT_EQ(story.see("/rooms/nodes/1/state"), "waits for etcd");
    story.tell("worker 2", "log_is_back", R"("etcd":"e")");
    EXPECT_EQ(story.see("/rooms/nodes/1/state"), "lives");
    story.tell("worker 2", "was_thought_dead");
    EXPECT_EQ(story.see("/rooms/nodes/1/state"), "is thought dead");
    stands("worker 2", "n2", 0, 10);
    EXPECT_EQ(story.see("/rooms/nodes/1/state"), "is thought dead") << "not back yet";
    stands("worker 2", "n2", 11, 11);
    EXPECT_EQ(story.see("/rooms/nodes/1/state"), "lives");
    story.tell("worker 1", "sees_node_go", R"("node":"outside")");
    EXPECT_EQ(story.see("/rooms/nodes/2"), "there is no /rooms/nodes/2");
    EXPECT_EQ(story.see("/rooms/shown/0/now"), 0);
}

TEST(Clients, WhoDoesNotReadIsSeenUntilTheyDo) {
    Story story;
    comes(story, "handler 1", "127.0.0.1:5");
    story.tell("handler 1", "waits_for_peer", R"("bytes":65536)");
    EXPECT_EQ(story.see("/clients/shown/0/state"), "does not read");
    EXPECT_EQ(story.see("/clients/shown/0/behind"), 65536);
    story.tell("handler 1", "waits_for_data");
    EXPECT_EQ(story.see("/clients/shown/0/state"), "waits");
    story.tell("handler 1", "is_behind", R"("bytes":5,"most":10)");
    EXPECT_EQ(story.see("/clients/shown/0/behind"), 5);
    story.tell("handler 1", "is_behind", R"("bytes":0,"most":10)");
    EXPECT_EQ(story.see("/clients/shown/0/behind"), 0);
    EXPECT_EQ(story.see("/server/lag"), nullptr);
    story.tell("server", "lags", R"("ms":40)");
    EXPECT_EQ(story.see("/server/lag/ms"), 40);
}

TEST(Tree, TheServicesOfAChatsWorkerStandBelowIt) {
    Story story;
    story.tell("supervisor", "supervisor_progress", R"("supervisor":"root","child":"worker-1","pid":11)");
    story.tell("worker 1 supervisor", "supervisor_started",
               R"("supervisor":"chat","strategy":"one_for_one","intensity":3,"period_s":5)");
    story.tell("worker 1 supervisor", "supervisor_progress", R"("supervisor":"chat","child":"rooms","pid":"<1>")");
    EXPECT_EQ(story.see("/tree/1"), "there is no /tree/1");
    EXPECT_EQ(story.see("/tree/0/children/0/supervisor/name"), "chat");
    EXPECT_EQ(story.see("/tree/0/children/0/supervisor/intensity"), 3);
    EXPECT_EQ(story.see("/tree/0/children/0/supervisor/children/0/id"), "rooms");
}

TEST(StoryView, KeepsFailuresApart) {
    Story story;
    story.tell("acceptor 1", "cannot_accept", R"("reason":"too many open files","wait_ms":100)");
    for (int i = 0; i < 1000; ++i) story.tell("handler 1", "waits_for_data");
    EXPECT_EQ(story.see("/story/told"), 1001);
    EXPECT_EQ(story.see("/story/lines").as_array().size(), bounds::story_lines);
    EXPECT_EQ(story.see("/story/failures"), 1);
    EXPECT_EQ(story.see("/story/failed/0/text"), "acceptor 1 cannot accept: too many open files; waits 100 ms");
}

/// However much is told: the picture does not grow, and says what it leaves out.
TEST(Bounds, HoldAndCountWhatIsLeftOut) {
    Story story;
    const std::string endless(100'000, 'x');
    const std::size_t many = bounds::clients_known + 1000;
    for (std::size_t i = 1; i <= many; ++i) {
        const auto number = std::to_string(i);
        story.tell("handler " + number, "serves", R"("peer":"127.0.0.1:)" + number + R"(")");
        if (i <= 2000) {
            story.tell("acceptor " + number, "waits_for_client");
            story.tell("handler " + number, "has_in_room",
                       R"("name":"n)" + number + R"(","room":"r)" + number + R"(")");
            story.tell("server", "opens_room", R"("room":"r)" + number + R"(")");
            story.tell("link " + number, "is_linked", R"("node":"n","peer":"p")");
            story.tell("server", "knows_node", R"("node":"n)" + number + R"(","epoch":1)");
            line(story, "server", "said", "n" + number, static_cast<int>(i), "r" + number, endless);
            story.tell("supervisor", "supervisor_progress",
                       R"("supervisor":"s)" + number + R"(","child":"c)" + number + R"(","pid":1)");
            story.tell("supervisor", "supervisor_progress",
                       R"("supervisor":"root","child":"c)" + number + R"(","pid":1)");
        }
    }
    story.tell("handler 1", "got_data_from_client", R"("data":")" + endless + R"(")");
    EXPECT_EQ(story.see("/clients/now"), many);
    EXPECT_EQ(story.see("/clients/shown").as_array().size(), bounds::clients_shown);
    EXPECT_EQ(story.see("/clients/left_out"), many - bounds::clients_shown);
    EXPECT_EQ(story.see("/acceptors/shown").as_array().size(), bounds::acceptors);
    EXPECT_EQ(story.see("/acceptors/left_out"), 2000 - bounds::acceptors);
    EXPECT_EQ(story.see("/rooms/shown").as_array().size(), bounds::rooms);
    EXPECT_EQ(story.see("/rooms/left_out"), 2000 - bounds::rooms);
    EXPECT_EQ(story.see("/rooms/links").as_array().size(), bounds::links);
    EXPECT_EQ(story.see("/rooms/nodes").as_array().size(), bounds::nodes);
    EXPECT_LT(json::serialize(story.model.picture(story.now)).size(), 1'000'000u);
    // And those whom nobody could keep in mind leave by their number, at least.
    for (std::size_t i = 1; i <= many; ++i) story.tell("handler " + std::to_string(i), "connection_closed");
    EXPECT_EQ(story.see("/clients/now"), 0);
    EXPECT_EQ(story.see("/clients/went"), many);
}

/// A story comes through a pipe from a program that may be anything.
TEST(Bounds, AStoryThatMakesNoSenseHarmsNobody) {
    Story story;
    for (
        const auto* const line : {
            R"({"time":"x","who":"observer","event":"door","sockets":"none","waiting":3})",
            R"({"time":"x","who":"observer","event":"door","sockets":[1,{"peer":7},{"peer":"a","unread":"b","unsent":null}]})",
            R"({"time":"x","who":"observer","event":"processes","shown":5})",
            R"({"time":"x","who":"observer","event":"observes","command":{}})",
            R"({"time":"x","who":"supervisor","event":"supervisor_progress","supervisor":"a","child":"a"})",
            R"({"time":"x","who":"supervisor","event":"supervisor_progress","supervisor":"a","child":"b"})",
            R"({"time":"x","who":"supervisor","event":"supervisor_progress","supervisor":"b","child":"a"})",
            R"({"time":"x","who":"handler 99999999999999999999999","event":"waits_for_data"})",
            R"({"time":"x","who":"worker","event":"stopped","worker":-4})",
            R"({"time":"x","who":"server","event":"left_out","lines":-1})",
            R"({"time":"x","who":"server","event":"left_out","lines":"many"})",
            R"({"time":"9999-12-31T23:59:59.999999Z","who":"handler 1","event":"got_data_from_client","data":[]})",
            R"({"time":"0001-01-01T00:00:00.000000Z","who":"handler 1","event":"got_data_from_client","data":{}})",
        }) {
        story.take(line);
        json::serialize(story.model.picture(story.now));
    }
}

}  // namespace
}  // namespace observed
