// Several nodes over an etcd that does its worst, with people who fight for names, talk and leave: simulated_store.hpp.
// Whatever happens, they have one order, and nothing that a speaker has seen is lost, doubled or elsewhere. Where a run
// fails, its seed is printed; FIVE_FIRST_SEED=seed FIVE_SCENARIOS=1 plays it again.

#include "05_chat/engine/etcd/engine.hpp"
#include "05_chat/room/listing.hpp"
#include "app/story.hpp"
#include "chat/simulated_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace chat;
using simulated::World;
using Milliseconds = World::Milliseconds;

constexpr std::uint64_t default_first_seed = 1;
constexpr std::uint64_t default_scenarios = 2000;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

const Limits limits{.max_line = 20, .history = 5, .max_people = 4, .max_rooms = 3};

/// What was asked at a place of the order, and what came of it, in words.
std::string record(const Submission& submission, const Outcome& outcome) {
    std::string text = folded(submission.room) + ": ";
    if (const auto* join = std::get_if<Join>(&submission.request)) {
        text += std::to_string(join->person) + " joins as " + join->name;
    } else if (const auto* say = std::get_if<Say>(&submission.request)) {
        text += std::to_string(say->person) + " says " + say->text;
    } else {
        text += std::to_string(std::get<Leave>(submission.request).person) + " leaves";
    }
    return text + " -> " + (outcome ? words(*outcome) : std::string(reason(outcome.error())));
}

struct Record {
    std::string words;
    Submission submission;
    std::optional<Line> line;
};

/// A place of the order: the revision, and the place in it.
std::string place(Sequence at) {
    return std::to_string(at >> etcd::place_bits) + "." + std::to_string(at % (Sequence(1) << etcd::place_bits));
}

/// The rooms, as everybody who has read the same must have them.
std::string picture(const Rooms& rooms) {
    std::string all = who_is_where(rooms);
    for (const auto& [key, named] : rooms.all()) {
        for (const Line& line : named.room.history()) {
            all += named.name + " " + std::to_string(line.sequence) + " " + words(line) + "\n";
        }
    }
    return all;
}

/// One life of a node: a program, with its people.
class Node : public Replica {
public:
    Node(World& world, simulated::Etcd& etcd, const std::string& name, std::string process,
         std::size_t snapshot_batches, std::function<bool(std::string_view)> is_ended,
         const Limits& its_limits = limits)
        : name(name), process(process), store(world, etcd), clock(world), world_(world) {
        etcd::Settings settings;
        settings.node = name;
        settings.limits = its_limits;
        settings.lobby = "lobby";
        settings.process = std::move(process);
        settings.is_ended = std::move(is_ended);
        settings.give_up = [this](const std::string& why) { why_given_up = why; };
        settings.snapshot_batches = snapshot_batches;
        engine.emplace(world.executor(), store, clock, std::move(settings));
        engine->serve(*this);
    }

    // What it hears, in pieces that have no hole. A new piece begins where it takes a snapshot.
    struct Piece {
        Sequence after;
        std::map<Sequence, Record> records;
    };

    Outcome apply(Sequence at, const Submission& submission) override {
        if (throws) throw std::runtime_error("thrown on purpose");
        auto outcome = rooms_.apply(at, submission);
        Record what{record(submission, outcome), submission, {}};
        if (outcome) what.line = *outcome;
        if (!pieces.back().records.emplace(at, std::move(what)).second) wrong += "a place came twice\n";
        if (outcome && outcome->kind == Line::Kind::left) let_out(outcome->person, submission.room);
        return outcome;
    }
    const Rooms& rooms() const override { return rooms_; }
    void restore(Rooms rooms) override {
        rooms_ = std::move(rooms);
        pieces.push_back({rooms_.last(), {}});
        if (rooms_.all().size() == 1 && rooms_.find("lobby")->people().empty()) begins.push_back(rooms_.last());
    }
    void go_down(std::string_view) override {
        ++downs;
        told.emplace_back("out");
        for (auto& [person, place] : places) place.is_down = true;
    }
    std::vector<Submission> come_back() override {
        std::vector<Submission> joins;
        for (const auto& [person, place] : places) joins.push_back({place.room, Join{person, place.name}});
        return joins;
    }
    void is_back(const Submission& join, const Outcome& outcome) override {
        const PersonId person = std::get<Join>(join.request).person;
        const auto place = places.find(person);
        if (place == places.end()) {
            if (outcome) take_out({join.room, Leave{person, {}}});
        } else if (outcome) {
            place->second.is_down = false;
            told.emplace_back("in");
        } else {
            places.erase(place);
        }
    }
    void waits(std::string_view) override {
        if (std::exchange(is_waiting, true)) wrong += "waits twice\n";
        told.emplace_back("waits");
        ++waited;
    }
    void goes_on(std::string_view) override {
        if (!std::exchange(is_waiting, false)) wrong += "goes on, and did not wait\n";
        told.emplace_back("goes on");
    }

    void let_out(PersonId person, const std::string& room) {
        const auto place = places.find(person);
        const bool is_there = place != places.end() && folded(place->second.room) == folded(room);
        if (is_there && !place->second.is_down) places.erase(place);
    }
    /// Somebody who went while they were brought back.
    void take_out(Submission leave) {
        boost::asio::co_spawn(
            world_.executor(),
            [](Node& node, Submission submission) -> net::awaitable<void> { co_await node.engine->submit(submission); }(
                                                      *this, std::move(leave)),
            [this](const std::exception_ptr& crash) {
                if (crash) wrong += "somebody crashed\n";
            });
    }

    struct Place {
        std::string room;
        std::string name;
        bool is_down = false;
    };

    const std::string name;
    const std::string process;
    simulated::Store store;
    simulated::Clock clock;
    std::optional<etcd::EtcdEngine> engine;
    bool is_open = false;
    bool is_dead = false;
    std::optional<std::string> why_closed;
    std::string why_given_up;
    std::map<PersonId, Place> places;  // of our people who are in a room
    std::set<std::string> seen;        // what our people know to have been said
    std::vector<Piece> pieces;
    std::vector<Sequence> begins;  // where it began with empty rooms
    int busy = 0;                  // how many of its coroutines run
    int downs = 0, waited = 0, unknowns = 0;
    bool is_waiting = false;
    std::vector<std::string> told;  // what its people were, in order
    bool throws = false;
    Milliseconds troubled = 0;  // when it was last cut, asleep or out of etcd's reach
    std::string wrong;

private:
    World& world_;
    Rooms rooms_{limits, "lobby"};
};

/// Several nodes, their people, and what befalls them.
class Country {
public:
    explicit Country(std::uint64_t seed, bool ignores_conditions = false)
        : world_(seed), snapshot_batches_(world_.roll(3) == 0 ? 1000 : 3 + world_.roll(20)) {
        etcd_.ignores_conditions = ignores_conditions;
        etcd_.has_changed = [this] { everybody_looks(); };
        for (std::size_t node = 0; node < 3; ++node) start("node" + std::to_string(node));
        tick();
        const auto troubles = world_.roll(8);
        for (std::uint64_t i = 0; i < troubles; ++i) world_.after(world_.roll(12'000), [this] { trouble(); });
    }
    ~Country() { end(); }
    Country(const Country&) = delete;
    Country& operator=(const Country&) = delete;

    /// What is wrong after everybody has had their say; empty when nothing is.
    std::string play() {
        constexpr Milliseconds heal = 15'000;
        const bool over = world_.run([&] { return world_.now() > heal && is_quiet(); }, 200'000);
        if (!over) return "it does not come to an end\n" + state();
        return check();
    }

    std::size_t heard() const { return order_.size(); }
    int downs = 0, start_overs = 0, waited = 0, crashes = 0, unknowns = 0;

private:
    // ---- nodes ------------------------------------------------------------------------------------------------------

    void start(const std::string& name) {
        const std::string process = "process" + std::to_string(nodes_.size());
        nodes_.push_back(std::make_unique<Node>(
            world_, etcd_, name, process, snapshot_batches_,
            [this, knows = world_.roll(2) == 0](std::string_view ended) { return knows && is_dead(ended); }));
        spawn(*nodes_.back(), live(*nodes_.back()));
    }
    bool is_dead(std::string_view process) const {
        return std::ranges::any_of(nodes_, [&](const auto& node) { return node->process == process && node->is_dead; });
    }
    void spawn(Node& node, net::awaitable<void> work) {
        ++node.busy;
        boost::asio::co_spawn(world_.executor(), std::move(work), [&node](const std::exception_ptr& crash) {
            if (crash) node.wrong += "somebody crashed\n";
            --node.busy;
        });
    }
    net::awaitable<void> live(Node& node) {
        const auto opened = co_await node.engine->open();
        if (!opened) {
            node.why_closed = opened.error().words;
            co_return;
        }
        node.is_open = true;
        for (int person = 0; person < 3; ++person) spawn(node, talk(node));
    }
    void everybody_looks() {
        for (const auto& node : nodes_) node->store.look();
    }
    Node* anybody() {
        std::vector<Node*> living;
        for (const auto& node : nodes_) {
            if (!node->is_dead && !node->why_closed) living.push_back(node.get());
        }
        return living.empty() ? nullptr : living[world_.roll(living.size())];
    }

    // ---- people -----------------------------------------------------------------------------------------------------

    /// Somebody comes, goes, and talks.
    net::awaitable<void> talk(Node& node) {
        const PersonId person = node.engine->next_person();
        for (int turn = 0; turn < 12 && !node.is_dead; ++turn) {
            if (world_.roll(4) != 0) co_await world_.sleep(world_.roll(2000));
            if (node.is_dead) break;
            const auto place = node.places.find(person);
            if (place != node.places.end() && place->second.is_down) {
                if (world_.roll(4) == 0) node.places.erase(place);  // they go, and do not wait for it to come back
                continue;
            }
            const std::string text = std::to_string(person) + "." + std::to_string(turn);
            const bool is_in = place != node.places.end();
            const std::string room = is_in ? place->second.room : "room" + std::to_string(world_.roll(3));
            Submission submission{room, Say{person, text}};
            const auto what = is_in ? world_.roll(6) : 0;
            const std::string name = "name" + std::to_string(world_.roll(5));
            if (what == 0 && !is_in) submission.request = Join{person, name};
            if (what == 1) submission.request = Leave{person, {}};
            co_await ask(node, submission, person, name);
        }
        if (const auto place = node.places.find(person); place != node.places.end() && !node.is_dead) {
            if (world_.roll(2) == 0) co_return;  // they stay
            if (place->second.is_down) {
                node.places.erase(place);
                co_return;
            }
            const Submission leave{place->second.room, Leave{person, {}}};
            co_await ask(node, leave, person, {});
            node.places.erase(person);
        }
    }
    net::awaitable<void> ask(Node& node, const Submission& submission, PersonId person, const std::string& name) {
        const int downs = node.downs;
        const auto outcome = co_await node.engine->submit(submission);
        if (node.is_dead) co_return;  // nobody has seen that
        if (!outcome) {
            if (outcome.error() == Refusal::unknown) ++node.unknowns;
            co_return;
        }
        // The answer is there before anything else has happened.
        const auto& records = node.pieces.back().records;
        const auto last = records.rbegin();
        if (last == records.rend() || last->first != outcome->sequence ||
            last->second.words != record(submission, outcome)) {
            node.wrong += "an answer came late\n";
        }
        if (const auto* say = std::get_if<Say>(&submission.request)) node.seen.insert(say->text);
        if (!std::holds_alternative<Join>(submission.request)) co_return;
        if (downs != node.downs && node.places.contains(person)) {
            const Submission leave{submission.room, Leave{person, {}}};
            co_await node.engine->submit(leave);
        } else {
            node.places[person] = {submission.room, name, false};
        }
    }

    // ---- what befalls them
    // --------------------------------------------------------------------------------------------

    void trouble() {
        Node* node = anybody();
        if (node == nullptr) return;
        const Milliseconds while_ = 100 + world_.roll(6000);
        const auto what = world_.roll(9);
        if (app::story::is_told()) {
            std::cout << world_.now() << " ms: trouble " << what << " for " << while_ << " ms, " << node->process
                      << std::endl;
        }
        switch (what) {
            case 0:  // the cable
                cut(*node, while_);
                break;
            case 1:  // SIGSTOP
                node->clock.stands_still = true;
                cut(*node, while_);
                world_.after(while_, [node] {
                    if (!node->is_dead) node->clock.go_on();
                });
                break;
            case 2:  // all of etcd
                if (etcd_.is_away) break;
                etcd_.is_away = true;
                troubled_ = world_.now() + while_;
                world_.after(while_, [this] {
                    etcd_.come_back();
                    everybody_looks();
                });
                break;
            case 3: {  // a lease ends although its node lives
                const auto leases = etcd_.leases();
                if (!leases.empty() && !etcd_.is_away) etcd_.revoke(leases[world_.roll(leases.size())]);
                break;
            }
            case 4:
                node->store.silence_watch();
                node->troubled = world_.now() + while_;
                break;
            case 5: node->store.end_watch(); break;
            case 6:  // somebody sweeps, and leaves nothing of the past
                etcd_.compact(etcd_.last_written());
                troubled_ = std::max(troubled_, world_.now());
                break;
            default: crash(*node, while_); break;
        }
    }
    void cut(Node& node, Milliseconds while_) {
        node.store.is_cut = true;
        node.troubled = std::max(node.troubled, world_.now() + while_);
        world_.after(while_, [&node] {
            node.store.is_cut = false;
            node.store.look();
        });
    }
    /// kill -9, and somebody starts it again, under its name or another.
    void crash(Node& node, Milliseconds later) {
        ++crashes;
        node.is_dead = node.store.is_dead = node.clock.stands_still = true;
        const std::string name = world_.roll(3) == 0 ? "another" + std::to_string(++crashes_named_) : node.name;
        world_.after(later, [this, name] { start(name); });
        if (etcd_.is_away) return;
        world_.after(5000, [this, &node, crashed = world_.now()] { is_out(node, crashed); });
    }
    /// Whoever was with that node has left everywhere, where nothing has got into the way of hearing it.
    void is_out(const Node& dead, Milliseconds crashed) {
        for (const auto& node : nodes_) {
            const Milliseconds last_trouble = std::max(node->troubled, troubled_);
            const bool is_calm = last_trouble == 0 || last_trouble + 5000 < crashed;
            if (!node->is_open || node->is_dead || !is_calm) continue;
            for (const auto& [key, named] : node->rooms().all()) {
                for (const auto& [person, place] : dead.places) {
                    if (named.room.people().contains(person)) node->wrong += "somebody is in who is dead\n";
                }
            }
        }
    }

    // ---- the end ----------------------------------------------------------------------------------------------------

    /// Time goes on, also when nobody is left.
    void tick() {
        world_.after(1000, [this] { tick(); });
    }
    /// Everybody has had their say, and for a while nothing has been missing anywhere.
    bool is_quiet() {
        constexpr Milliseconds a_while = 10'000;
        const bool is_busy = std::ranges::any_of(nodes_, [](const auto& node) {
            return !node->is_dead && (node->busy > 0 || node->is_waiting || (!node->is_open && !node->why_closed));
        });
        if (is_busy) quiet_since_.reset();
        if (!is_busy && !quiet_since_) quiet_since_ = world_.now();
        return quiet_since_ && world_.now() >= *quiet_since_ + a_while;
    }
    std::string state() const {
        std::ostringstream all;
        for (const auto& node : nodes_) {
            all << node->name << " " << node->process << (node->is_dead ? " dead" : "")
                << (node->is_open ? " open" : "") << (node->is_waiting ? " waits" : "") << " busy " << node->busy << " "
                << node->why_closed.value_or("") << node->why_given_up << "\n"
                << picture(node->rooms());
        }
        return all.str();
    }

    void tell_order() const {
        for (const auto& [at, what] : order_) {
            std::cout << place(at) << " " << what.words << "\n";
        }
        std::cout << state();
    }

    std::string check() {
        std::string wrong;
        std::set<Sequence> begins;
        for (const auto& node : nodes_) {
            wrong += node->wrong;
            downs += node->downs;
            waited += node->waited;
            unknowns += node->unknowns;
            start_overs += node->pieces.size() > 1 ? static_cast<int>(node->pieces.size()) - 1 : 0;
            if (!node->why_given_up.empty()) wrong += "gave up: " + node->why_given_up + "\n";
            if (node->why_closed && node->why_closed->find("is called") != std::string::npos)
                wrong += *node->why_closed;
            begins.insert(node->begins.begin(), node->begins.end());
            for (const auto& piece : node->pieces) {
                for (const auto& [at, what] : piece.records) {
                    const auto known = order_.emplace(at, what).first;
                    if (known->second.words != what.words) {
                        wrong += "one place, two things: " + known->second.words + " and " + what.words + "\n";
                    }
                }
            }
        }
        if (app::story::is_told()) tell_order();
        return wrong + check_pieces() + check_order(begins) + check_ends();
    }
    /// Nobody has heard the order with a hole.
    std::string check_pieces() const {
        std::string wrong;
        for (const auto& node : nodes_) {
            for (const auto& piece : node->pieces) {
                const bool goes_on = !node->is_dead && !node->why_closed && &piece == &node->pieces.back();
                if (piece.records.empty() && !goes_on) continue;
                const auto first = order_.upper_bound(piece.after);
                const auto last = goes_on ? order_.end() : order_.upper_bound(piece.records.rbegin()->first);
                if (std::distance(first, last) != static_cast<std::ptrdiff_t>(piece.records.size())) {
                    wrong += node->name + " has not heard everything after " + place(piece.after) + "\n";
                    if (app::story::is_told()) {
                        for (const auto& [at, what] : piece.records) std::cout << "heard " << place(at) << "\n";
                    }
                }
            }
        }
        return wrong;
    }
    /// Against a model of its own: names are unique, whoever speaks is there, and leaves once; each line is there once,
    /// and those of a speaker in their order.
    std::string check_order(std::set<Sequence> begins) const {
        std::string wrong;
        std::map<std::pair<std::string, PersonId>, std::string> in;
        std::map<PersonId, int> last_turn;
        std::set<std::string> said;
        for (const auto& [at, what] : order_) {
            while (!begins.empty() && *begins.begin() < at) {
                in.clear();
                begins.erase(begins.begin());
            }
            if (!what.line) continue;
            const std::string room = folded(what.submission.room);
            const std::pair who{room, what.line->person};
            if (what.line->kind == Line::Kind::joined) {
                const bool is_taken = std::ranges::any_of(in, [&](const auto& each) {
                    return each.first.first == room && folded(each.second) == folded(what.line->name);
                });
                if (is_taken || !in.emplace(who, what.line->name).second) wrong += "in twice: " + what.words + "\n";
            } else if (what.line->kind == Line::Kind::left) {
                if (in.erase(who) == 0) wrong += "left, and was not in: " + what.words + "\n";
            } else {
                const std::string& text = what.line->text;
                const int turn = std::atoi(text.c_str() + text.find('.') + 1);
                if (!in.contains(who)) wrong += "said, and was not in: " + what.words + "\n";
                if (!said.insert(text).second) wrong += "said twice: " + what.words + "\n";
                if (!last_turn.try_emplace(who.second, -1).second && last_turn[who.second] >= turn) {
                    wrong += "not in the speaker's order: " + what.words + "\n";
                }
                last_turn[who.second] = turn;
            }
        }
        for (const auto& node : nodes_) {
            for (const std::string& text : node->seen) {
                if (!said.contains(text)) wrong += "lost, though its speaker saw it: " + text + "\n";
            }
        }
        return wrong;
    }
    /// All living nodes have the same rooms; in these are their people, and nobody else; and etcd has not grown.
    std::string check_ends() const {
        std::string wrong;
        std::set<std::pair<std::string, PersonId>> places, people;
        const Node* first = nullptr;
        std::size_t living = 0;
        for (const auto& node : nodes_) {
            if (node->is_dead || node->why_closed || !node->why_given_up.empty()) continue;
            ++living;
            if (first == nullptr) first = node.get();
            if (picture(node->rooms()) != picture(first->rooms())) wrong += "two nodes have different rooms\n";
            for (const auto& [person, place] : node->places) places.emplace(folded(place.room), person);
        }
        if (first == nullptr) return wrong;
        for (const auto& [key, named] : first->rooms().all()) {
            for (const auto& [person, name] : named.room.people()) people.emplace(key, person);
        }
        for (const auto& [room, person] : people) {
            if (!places.contains({room, person})) wrong += "a ghost in " + room + ": " + std::to_string(person) + "\n";
        }
        for (const auto& [room, person] : places) {
            if (!people.contains({room, person})) wrong += "not in " + room + ": " + std::to_string(person) + "\n";
        }
        constexpr std::size_t house_and_snapshots = 8;  // and the log's three
        if (etcd_.keys() > living + house_and_snapshots) wrong += "too many keys stay in etcd\n";
        return wrong;
    }
    /// Everything comes to an end, also what belongs to nodes that are dead.
    void end() {
        for (const auto& node : nodes_) {
            node->is_dead = true;
            node->store.stop();
            node->engine->stop();
            node->clock.go_on();
        }
        const auto until = world_.now() + 10'000;
        world_.after(10'000, [] {});
        world_.run([&] { return world_.now() >= until; }, 1'000'000);
    }

    World world_;
    std::size_t snapshot_batches_;
    simulated::Etcd etcd_{world_};
    std::vector<std::unique_ptr<Node>> nodes_;
    std::map<Sequence, Record> order_;
    std::optional<Milliseconds> quiet_since_;
    Milliseconds troubled_ = 0;  // until when etcd was away
    int crashes_named_ = 0;
};

struct EtcdEngines : testing::Test {
    EtcdEngines() { app::story::mode = std::getenv("FIVE_STORY") == nullptr ? app::Log::quiet : app::Log::text; }
};

}  // namespace

TEST_F(EtcdEngines, AllNodesAgreeWhateverHappens) {
    const std::uint64_t first = number_from("FIVE_FIRST_SEED", default_first_seed);
    const std::uint64_t scenarios = number_from("FIVE_SCENARIOS", default_scenarios);
    std::size_t heard = 0;
    int downs = 0, start_overs = 0, waited = 0, crashes = 0, unknowns = 0;
    for (std::uint64_t seed = first; seed < first + scenarios; ++seed) {
        Country country(seed);
        ASSERT_EQ(country.play(), "") << "FIVE_FIRST_SEED=" << seed << " FIVE_SCENARIOS=1 plays it again";
        heard += country.heard();
        downs += country.downs;
        start_overs += country.start_overs;
        waited += country.waited;
        crashes += country.crashes;
        unknowns += country.unknowns;
    }
    std::cout << heard << " requests, " << downs << " downs, " << start_overs << " starts over, " << waited
              << " times told to wait, " << crashes << " crashes, " << unknowns << " unknown\n";
    EXPECT_GT(heard, 10 * scenarios);
}

TEST_F(EtcdEngines, AnEtcdThatTakesWhatItShouldRefuseIsFound) {
    std::string wrong;
    for (std::uint64_t seed = 1; seed <= 100 && wrong.empty(); ++seed) wrong = Country(seed, true).play();
    EXPECT_NE(wrong, "");
}

// ---- one thing at a time --------------------------------------------------------------------------------------------

namespace {

/// Nodes, one or several, to which things happen as a test says. The network is as it is elsewhere: it delays, loses
/// and repeats.
class Village {
public:
    explicit Village(std::size_t snapshot_batches = 1000) : snapshot_batches_(snapshot_batches) {
        app::story::mode = app::Log::quiet;
        etcd.has_changed = [this] {
            for (const auto& node : nodes_) node->store.look();
        };
        tick();
    }
    ~Village() {
        for (const auto& node : nodes_) {
            node->store.stop();
            node->engine->stop();
            node->clock.go_on();
        }
        pass(10'000);
    }
    Village(const Village&) = delete;
    Village& operator=(const Village&) = delete;

    /// A node that is to come; it has come, or could not, when time has passed.
    Node& start(const std::string& name, const Limits& its_limits = limits) {
        nodes_.push_back(std::make_unique<Node>(world, etcd, name, "process" + std::to_string(nodes_.size()),
                                                snapshot_batches_, std::function<bool(std::string_view)>(),
                                                its_limits));
        Node& node = *nodes_.back();
        spawn([](Node& self) -> net::awaitable<void> {
            const auto opened = co_await self.engine->open();
            self.is_open = opened.has_value();
            if (!opened) self.why_closed = opened.error().words;
        }(node));
        return node;
    }
    Node& started(const std::string& name, const Limits& its_limits = limits) {
        Node& node = start(name, its_limits);
        EXPECT_TRUE(world.run([&] { return node.is_open; }));
        return node;
    }
    /// What came of it, as soon as it has.
    void submit(Node& node, Submission submission) {
        spawn([](Village& self, Node& at, Submission wanted) -> net::awaitable<void> {
            try {
                const auto outcome = co_await at.engine->submit(wanted);
                self.outcomes.push_back(outcome ? words(*outcome) : std::string(reason(outcome.error())));
            } catch (const std::exception& thrown) {
                self.outcomes.push_back(std::string("threw: ") + thrown.what());
            }
        }(*this, node, std::move(submission)));
    }
    /// Somebody joins the lobby, before all others.
    void first_joins(Node& node, const std::string& name, PersonId& person) {
        person = node.engine->next_person();
        submit(node, {"lobby", Join{person, name}});
        ASSERT_TRUE(run([&] { return outcomes.size() == 1; }));
    }
    void pass(Milliseconds time) {
        const auto until = world.now() + time;
        EXPECT_TRUE(world.run([&] { return world.now() >= until; }, 10'000'000));
    }
    bool run(const std::function<bool()>& over) { return world.run(over); }
    void crash(Node& node) { node.is_dead = node.store.is_dead = node.clock.stands_still = true; }

    World world{1};
    simulated::Etcd etcd{world};
    std::vector<std::string> outcomes;

private:
    void tick() {
        world.after(100, [this] { tick(); });
    }
    void spawn(net::awaitable<void> work) {
        boost::asio::co_spawn(world.executor(), std::move(work), [](const std::exception_ptr& crash) {
            if (crash) std::rethrow_exception(crash);
        });
    }

    std::size_t snapshot_batches_;
    std::vector<std::unique_ptr<Node>> nodes_;
};

using testing::ElementsAre;

}  // namespace

TEST(EtcdEngine, ANodeThatComesTakesWhatTheFirstOneHasChosen) {
    Village village;
    village.started("first");
    Limits others = limits;
    others.max_people = 99;
    const Node& second = village.started("second", others);
    EXPECT_EQ(second.engine->house().limits.max_people, limits.max_people);
    EXPECT_EQ(second.rooms().limits().max_people, limits.max_people);
}

TEST(EtcdEngine, ANodeOfAnotherVersionDoesNotStart) {
    Village village;
    village.etcd.transact({{}, {etcd::Write{"five/house", R"({"version":99})"}}});
    const Node& node = village.start("node");
    village.pass(10'000);
    EXPECT_EQ(node.why_closed, "cannot use etcd: the nodes below five/ speak version 99, this one speaks 1");
}

TEST(EtcdEngine, WhereEtcdIsAwayANodeSaysSoSoon) {
    Village village;
    village.etcd.is_away = true;
    const Node& node = village.start("node");
    village.pass(4'000);
    EXPECT_FALSE(node.why_closed);
    village.pass(3'000);
    EXPECT_EQ(node.why_closed, "cannot use etcd: no answer");
}

TEST(EtcdEngine, TwoNodesDoNotHaveOneName) {
    Village village;
    const Node& first = village.started("node");
    const Node& second = village.start("node");
    village.pass(12'000);
    EXPECT_EQ(second.why_closed, "cannot use etcd: another node is called node");
    EXPECT_EQ(first.downs, 0);
}

TEST(EtcdEngine, WhoeverIsStartedAgainHasItsNameWhenTheLeaseHasEnded) {
    Village village;
    village.crash(village.started("node"));
    const Node& again = village.start("node");
    village.pass(etcd::name_patience / std::chrono::milliseconds(1));
    EXPECT_TRUE(again.is_open);
}

TEST(EtcdEngine, ThePeopleOfADeadNodeLeaveWithinFiveSeconds) {
    for (int run = 0; run < 20; ++run) {
        Village village;
        Node& first = village.started("first");
        const Node& second = village.started("second");
        village.submit(first, {"lobby", Join{first.engine->next_person(), "Ben"}});
        ASSERT_TRUE(village.run([&] { return !second.rooms().find("lobby")->people().empty(); }));
        village.pass(static_cast<Milliseconds>(run) * 50);
        village.crash(first);
        village.pass(5'000);
        EXPECT_TRUE(second.rooms().find("lobby")->people().empty());
    }
}

TEST(EtcdEngine, WhatIsSaidWhileEtcdIsAwayIsKeptAndPeopleAreTold) {
    Village village;
    Node& node = village.started("node");
    PersonId ben = 0;
    ASSERT_NO_FATAL_FAILURE(village.first_joins(node, "Ben", ben));
    village.pass(1'000);
    village.etcd.is_away = true;
    for (const char* text : {"one", "two", "three"}) village.submit(node, {"lobby", Say{ben, text}});
    village.pass(1'500);
    EXPECT_EQ(node.waited, 0);
    village.pass(28'500);
    EXPECT_EQ(node.waited, 1);
    EXPECT_EQ(village.outcomes.size(), 1U);
    village.etcd.come_back();
    ASSERT_TRUE(village.run([&] { return !node.is_waiting; }));
    ASSERT_TRUE(village.run([&] { return village.outcomes.size() == 4; }));
    EXPECT_THAT(village.outcomes,
                ElementsAre("Ben has joined the room", "Ben says: one", "Ben says: two", "Ben says: three"));
    EXPECT_EQ(node.downs, 0);
}

TEST(EtcdEngine, AnAnswerThatIsLostHoldsNothingUpWhereTheLogHasBroughtIt) {
    Village village;
    Node& node = village.started("node");
    PersonId ben = 0;
    ASSERT_NO_FATAL_FAILURE(village.first_joins(node, "Ben", ben));
    village.pass(1'100);
    node.store.loses_answers = true;
    std::size_t most_open = 0;
    const auto say_and_hear = [&](std::size_t lines) {
        for (std::size_t heard = village.outcomes.size(), i = 1; i <= lines; ++i) {
            village.submit(node, {"lobby", Say{ben, std::to_string(i)}});
            ASSERT_TRUE(village.run([&] { return village.outcomes.size() == heard + i; }));
            most_open = std::max(most_open, node.store.open_calls());
        }
    };
    const auto began = village.world.now();
    say_and_hear(5);
    EXPECT_LT(village.world.now() - began, 1'000U);
    // But not so many answers are waited for as there are lines.
    say_and_hear(100);
    constexpr std::size_t leases = 3;
    EXPECT_LE(most_open, etcd::most_unneeded_answers + 1 + leases);
}

TEST(EtcdEngine, TheRoomsAreBackWhenThePeopleAreBackInThem) {
    Village village;
    Node& node = village.started("node");
    PersonId ben = 0;
    ASSERT_NO_FATAL_FAILURE(village.first_joins(node, "Ben", ben));
    node.places[ben] = {"lobby", "Ben"};
    node.store.is_cut = true;
    village.submit(node, {"lobby", Say{ben, "Hello?"}});
    village.pass(6'000);
    node.store.is_cut = false;
    ASSERT_TRUE(village.run([&] { return village.outcomes.size() == 2 && !node.is_waiting; }));
    EXPECT_THAT(node.told, ElementsAre("waits", "out", "in", "goes on"));
    EXPECT_EQ(village.outcomes.back(), "Ben says: Hello?");
}

TEST(EtcdEngine, ABatchOfALifeThatIsOverCountsNoMoreHoweverLateItComes) {
    Village village;
    Node& node = village.started("node");
    PersonId ben = 0;
    ASSERT_NO_FATAL_FAILURE(village.first_joins(node, "Ben", ben));
    node.places[ben] = {"lobby", "Ben"};
    // It would be the third version of the key: in this life, and in the next one, too.
    node.store.holds = true;
    village.submit(node, {"lobby", Say{ben, "Hello!"}});
    village.pass(100);
    // Somebody takes its key away. Its lease lives on: that does not keep anything from being written.
    village.etcd.transact({{}, {etcd::Remove{"five/nodes/node"}}});
    ASSERT_TRUE(village.run([&] { return node.downs == 1; }));
    const auto late = std::exchange(node.store.held, {});
    node.store.holds = false;
    ASSERT_TRUE(village.run([&] { return village.outcomes.size() == 2; }));
    for (const auto& arrive : late) arrive();
    village.pass(1'000);
    EXPECT_THAT(village.outcomes, ElementsAre("Ben has joined the room", "Ben says: Hello!"));
    EXPECT_EQ(node.rooms().find("lobby")->history().size(), 1U);
}

/// What some versions of etcd have forgotten although they let a watch begin there: a removal.
TEST(EtcdEngine, TheEndOfANodeIsNotMissedWhereEtcdHasForgottenItWithoutAWord) {
    Village village;
    Node& first = village.started("first");
    Node& second = village.started("second");
    village.submit(first, {"lobby", Join{first.engine->next_person(), "Ben"}});
    ASSERT_TRUE(village.run([&] { return !second.rooms().find("lobby")->people().empty(); }));
    second.store.is_cut = true;
    second.store.end_watch();
    village.crash(first);
    village.etcd.transact({{}, {etcd::Remove{"five/nodes/first"}}});
    village.etcd.compact(village.etcd.revision());
    second.store.is_cut = false;
    village.pass(10'000);
    EXPECT_TRUE(second.rooms().find("lobby")->people().empty());
}

TEST(EtcdEngine, WhereRoomsBeginEmptyTheyDoSoForWhoeverKnowsBetterAndIsAboutToCome) {
    Village village;
    Node& first = village.started("first");
    const PersonId ben = first.engine->next_person();
    village.submit(first, {"lobby", Join{ben, "Ben"}});
    village.submit(first, {"lobby", Say{ben, "Hello!"}});
    ASSERT_TRUE(village.run([&] { return village.outcomes.size() == 2; }));
    village.crash(first);
    village.pass(6'000);
    // It reads all of the log, and its Hello takes its time.
    Node& late = village.start("late");
    ASSERT_TRUE(village.run([&] { return !late.pieces.empty(); }));
    late.store.holds = true;
    ASSERT_TRUE(village.run([&] { return !late.rooms().find("lobby")->history().empty(); }));
    village.etcd.compact(village.etcd.last_written());
    const Node& other = village.started("other");
    EXPECT_TRUE(other.rooms().find("lobby")->history().empty());
    late.store.holds = false;
    ASSERT_TRUE(village.run([&] { return late.is_open; }));
    EXPECT_EQ(picture(late.rooms()), picture(other.rooms()));
}

TEST(EtcdEngine, AnIdleNodeFindsOutThatNothingComesAnyMore) {
    Village village;
    Node& first = village.started("first");
    Node& second = village.started("second");
    village.pass(1'000);
    second.store.silence_watch();
    village.submit(first, {"lobby", Join{first.engine->next_person(), "Ben"}});
    village.pass(7'000);
    EXPECT_EQ(second.rooms().find("lobby")->people().size(), 1U);
}

TEST(EtcdEngine, ANodeThatStopsSendsWhatWaitsAndItsPeopleLeaveAtOnce) {
    Village village;
    Node& first = village.started("first");
    const Node& second = village.started("second");
    const PersonId ben = first.engine->next_person();
    village.submit(first, {"lobby", Join{ben, "Ben"}});
    ASSERT_TRUE(village.run([&] { return village.outcomes.size() == 1; }));
    village.submit(first, {"lobby", Say{ben, "Good night"}});
    first.engine->stop();
    village.pass(2'500);
    EXPECT_EQ(second.rooms().find("lobby")->history().back().text, "Good night");
    EXPECT_TRUE(second.rooms().find("lobby")->people().empty());
    village.submit(first, {"lobby", Say{ben, "Late"}});
    village.pass(10);
    EXPECT_EQ(village.outcomes.back(), "you are not in the room");
}

TEST(EtcdEngine, ANodeAlsoStopsWhileEtcdIsAway) {
    Village village;
    Node& node = village.started("node");
    village.etcd.is_away = true;
    village.submit(node, {"lobby", Join{node.engine->next_person(), "Ben"}});
    node.engine->stop();
    village.pass(3'000);
    EXPECT_THAT(village.outcomes, ElementsAre("you are not in the room"));
}

TEST(EtcdEngine, ANodeWhoseRoomsHaveThrownDoesNotGoOn) {
    Village village;
    Node& node = village.started("node");
    node.throws = true;
    village.submit(node, {"lobby", Join{node.engine->next_person(), "Ben"}});
    village.pass(2'000);
    EXPECT_EQ(node.why_given_up, "the rooms have crashed: thrown on purpose");
    EXPECT_THAT(village.outcomes, ElementsAre("threw: thrown on purpose"));
}

TEST(EtcdEngine, WhatWasSaidIsThereWhenAllNodesHaveEndedAndOneComesAgain) {
    Village village(5);
    Node& node = village.started("node");
    const PersonId ben = node.engine->next_person();
    village.submit(node, {"lobby", Join{ben, "Ben"}});
    for (int i = 0; i < 20; ++i) {
        village.submit(node, {"lobby", Say{ben, std::to_string(i)}});
        village.pass(500);
    }
    village.crash(node);
    village.pass(6'000);
    const Node& again = village.started("node");
    EXPECT_EQ(again.rooms().find("lobby")->history().back().text, "19");
    EXPECT_TRUE(again.rooms().find("lobby")->people().empty());
}

TEST(EtcdEngine, WhatIsRefusedForItselfNeedsNoOrder) {
    Village village;
    Node& node = village.started("node");
    village.etcd.is_away = true;
    village.submit(node, {"lobby", Join{1, "B n"}});
    village.submit(node, {"lobby", Say{1, std::string(limits.max_line + 1, 'x')}});
    village.submit(node, {"lobby", Say{1, "\xff"}});
    village.pass(1);
    EXPECT_THAT(village.outcomes, ElementsAre("a name has no spaces or control characters", "the line is too long",
                                              "the line is not UTF-8"));
}

TEST(EtcdEngine, TheLogIsCutBehindSnapshots) {
    Village village(20);
    Node& node = village.started("node");
    const PersonId ben = node.engine->next_person();
    village.submit(node, {"lobby", Join{ben, "Ben"}});
    for (int i = 0; i < 500; ++i) {
        village.submit(node, {"lobby", Say{ben, std::to_string(i)}});
        village.pass(200);
    }
    ASSERT_TRUE(village.run([&] { return village.outcomes.size() == 501; }));
    EXPECT_LE(village.etcd.keys(), 5U);
    EXPECT_LE(village.etcd.remembered(), 3 * 20U + 20);
}
