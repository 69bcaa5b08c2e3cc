// Both sides of a link between two C++ nodes, without a socket: link_handshake, link_owner, link_guest, backoff.

#include "05_chat/base/backoff.hpp"
#include "05_chat/base/bytes.hpp"
#include "05_chat/link/guest.hpp"
#include "05_chat/link/host.hpp"
#include "chat/why.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace chat;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

constexpr link::Clock::time_point start{};

/// The frames in these bytes, without their headers.
std::vector<std::string> frames(std::string_view bytes) {
    std::vector<std::string> all;
    for (ByteReader in(bytes); in.size() > 0;) all.emplace_back(in.bytes(in.u32()));
    return all;
}

std::string frame(const link::Message& message) {
    std::string bytes;
    link::encode(message, bytes);
    return frames(bytes).front();
}

/// A guest and an host with their first words exchanged; what follows each test says itself.
struct Linked : testing::Test {
    explicit Linked(std::size_t max_people = 10) : host(host_of(max_people)) {
        guest.connected(1, start, 5s);
        exchange();
        EXPECT_TRUE(guest.is_up());
        EXPECT_TRUE(host.is_up());
    }
    link::Host host_of(std::size_t max_people) {
        return {{"host", 7, {}}, [this] { return ++last_person; }, max_people, 2, start, 5s};
    }
    /// Carries what each has to say to the other, until both are silent; what people ask for, `room` decides.
    void exchange() {
        for (bool anything = true; anything;) {
            anything = false;
            for (const auto& one : frames(host.take_output())) {
                EXPECT_EQ(why(guest.receive(one, now)), "");
                anything = true;
            }
            for (const auto& one : frames(guest.take_output())) {
                hand_over(one);
                anything = true;
            }
        }
    }
    void hand_over(const std::string& one) {
        auto todo = host.receive(one, now);
        ASSERT_EQ(why(todo), "");
        if (const auto* wanted = std::get_if<link::Host::Wanted>(&*todo)) {
            const auto line = room.apply(++sequence, wanted->submission.request);
            std::string bytes;
            if (line) link::encode_line(wanted->submission.room, *line, bytes);
            for (const auto& spoken : frames(bytes)) EXPECT_EQ(why(guest.receive(spoken, now)), "");
            host.outcome(*wanted, line);
        }
    }
    /// What the guest has to tell of its people.
    template <class Event>
    std::vector<Event> events() {
        std::vector<Event> all;
        while (auto event = guest.next_event()) {
            if (auto* wanted = std::get_if<Event>(&*event)) all.push_back(std::move(*wanted));
        }
        return all;
    }

    PersonId last_person = 0;
    Sequence sequence = 0;
    Room room{Limits{}};
    link::Clock::time_point now = start;
    link::Host host;
    link::Guest guest{{"guest", 8, {}}, true};
};

TEST_F(Linked, PeopleComeInAndAreHeard) {
    guest.enter(5, "lobby", "Ann");
    exchange();
    ASSERT_EQ(events<link::Guest::IsIn>().size(), 1u);
    guest.speak(5, "lobby", "Hello!");
    exchange();
    const auto spoken = events<link::Guest::IsSpoken>();
    ASSERT_EQ(spoken.size(), 1u);
    EXPECT_EQ(words(spoken[0].line), "Ann says: Hello!");
}

TEST_F(Linked, WhatHasNotComeBackIsCountedWhenTheLinkIsLost) {
    guest.enter(5, "lobby", "Ann");
    guest.enter(6, "lobby", "Ben");
    exchange();
    guest.speak(5, "lobby", "heard");
    guest.speak(6, "lobby", "heard");
    guest.speak(6, "lobby", std::string(5000, 'x'));  // refused: also an answer
    exchange();
    guest.speak(5, "lobby", "lost");
    guest.speak(5, "lobby", "lost, too");
    events<link::Guest::IsIn>();
    guest.lost();
    const auto down = events<link::Guest::IsDown>();
    ASSERT_EQ(down.size(), 2u);
    EXPECT_EQ(down[0].unheard, 2u);
    EXPECT_EQ(down[1].unheard, 0u);
}

TEST_F(Linked, WhatAnOwnerSendsIsMadePrintable) {
    guest.enter(5, "lobby", "Ann");
    EXPECT_EQ(why(guest.receive(frame(link::Past{1, Line::Kind::said, "M\x1b[31m", "\x1b]0;x\x07old\r\nForged"}), now)),
              "");
    EXPECT_EQ(why(guest.receive(frame(link::Entered{1, 1}), now)), "");
    EXPECT_EQ(
        why(guest.receive(frame(link::Spoken{"lobby", 2, Line::Kind::said, "M", "\x1b[2Jhi\r\nBank says: x"}), now)),
        "");
    EXPECT_EQ(why(guest.receive(frame(link::Spoken{"lobby", 3, Line::Kind::left, "M", "\xff\xfb\x01"}), now)), "");
    EXPECT_EQ(why(guest.receive(frame(link::Refused{1, "no\r\nForged"}), now)), "");
    EXPECT_EQ(why(guest.receive(frame(link::Answer{9, "In: \x1b[1mx\r\nForged"}), now)), "");
    std::vector<std::string> said;
    while (const auto event = guest.next_event()) {
        if (const auto* past = std::get_if<link::Guest::IsPast>(&*event)) said.push_back(words(past->line));
        if (const auto* spoken = std::get_if<link::Guest::IsSpoken>(&*event)) said.push_back(words(spoken->line));
        if (const auto* refused = std::get_if<link::Guest::IsRefused>(&*event)) said.push_back(refused->why);
        if (const auto* answer = std::get_if<link::Guest::IsAnswered>(&*event)) said.push_back(answer->text);
    }
    EXPECT_THAT(said, ElementsAre("M[31m says: ]0;xoldForged", "M says: [2JhiBank says: x",
                                  "M has left the room ((not UTF-8))", "noForged", "In: [1mxForged"));
}

struct SmallLinked : Linked {
    SmallLinked() : Linked(2) {}
};

TEST_F(SmallLinked, NoMorePeopleComeInThanANodeMayHave) {
    for (const PersonId person : {1, 2, 3}) guest.enter(person, "lobby", "p" + std::to_string(person));
    exchange();
    EXPECT_EQ(room.people().size(), 2u);
    const auto refused = events<link::Guest::IsRefused>();
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].why, "your node has as many people here as it may");
    guest.go(1, "lobby", {});
    guest.enter(3, "lobby", "p3");
    exchange();
    EXPECT_EQ(room.people().size(), 2u);
    EXPECT_EQ(events<link::Guest::IsIn>().size(), 1u);
}

TEST(Host, ReadsANodeForThoseWhoHaveBeenInForAWhile) {
    PersonId last = 0;
    link::Host host({"host", 7, {}}, [&] { return ++last; }, 1000, 2, start, 5s);
    link::Guest guest({"guest", 8, {}}, false);
    guest.connected(1, start, 5s);
    const auto introduce = [&](std::string bytes) {
        for (const auto& one : frames(bytes)) EXPECT_TRUE(host.receive(one, start).has_value());
    };
    for (const auto& one : frames(host.take_output())) EXPECT_EQ(why(guest.receive(one, start)), "");
    introduce(guest.take_output());
    ASSERT_TRUE(host.is_up());
    const auto enter = [&](std::uint64_t stay, link::Clock::time_point now) {
        EXPECT_TRUE(host.receive(frame(link::Enter{stay, "lobby", "p" + std::to_string(stay)}), now).has_value());
    };
    for (std::uint64_t stay = 1; stay <= 100; ++stay) enter(stay, start);
    EXPECT_EQ(host.pace(start), newcomers_pace);
    EXPECT_EQ(host.pace(start + settled_after - 1ms), newcomers_pace);
    EXPECT_EQ(host.pace(start + settled_after), 100u);
    for (std::uint64_t stay = 101; stay <= 150; ++stay) enter(stay, start + settled_after);
    EXPECT_EQ(host.pace(start + settled_after), 100u);
}

// ---- the first words ------------------------------------------------------------------------------------------------

/// What each side says of the other in the end; empty: nothing is wrong.
std::pair<std::string, std::string> shake_hands(const std::string& guests_secret, const std::string& owners_secret) {
    link::Handshake guest({"guest", 1, guests_secret}, link::Handshake::Side::guest, 11);
    link::Handshake host({"host", 2, owners_secret}, link::Handshake::Side::host, 22);
    std::string to_owner, to_guest, guests_word, owners_word;
    guest.begin(to_owner);
    host.begin(to_guest);
    while (!to_owner.empty() || !to_guest.empty()) {
        const auto for_owner = std::exchange(to_owner, {});
        for (const auto& one : frames(for_owner)) {
            if (owners_word.empty()) owners_word = why(host.receive(*link::decode(one), to_guest));
        }
        const auto for_guest = std::exchange(to_guest, {});
        for (const auto& one : frames(for_guest)) {
            if (guests_word.empty()) guests_word = why(guest.receive(*link::decode(one), to_owner));
        }
    }
    EXPECT_EQ(host.is_done(), guest.is_done());
    EXPECT_EQ(host.is_done(), owners_word.empty());
    if (host.is_done()) {
        EXPECT_EQ(host.node(), "guest");
        EXPECT_EQ(host.life(), 1u);
        EXPECT_EQ(guest.node(), "host");
    }
    return {guests_word, owners_word};
}

TEST(LinkHandshake, NeedsTheSameSecretOnBothSidesOrNone) {
    EXPECT_EQ(shake_hands("", "").second, "");
    EXPECT_EQ(shake_hands("secret", "secret").second, "");
    EXPECT_EQ(shake_hands("secret", "other").second, "wrong link secret");
    EXPECT_EQ(shake_hands("", "secret").second, "only one of the two nodes has a --link-secret-file");
    EXPECT_EQ(shake_hands("secret", "").second, "only one of the two nodes has a --link-secret-file");
}

TEST(LinkHandshake, TheOwnerProvesNothingToAStranger) {
    link::Handshake host({"host", 2, "secret"}, link::Handshake::Side::host, 22);
    std::string out;
    EXPECT_EQ(why(host.receive(link::Hello{.node = "evil"}, out)), "");
    EXPECT_EQ(why(host.receive(link::Challenge{3, 4}, out)), "");
    EXPECT_EQ(why(host.receive(link::Proof{std::string(16, 'x')}, out)), "wrong link secret");
    EXPECT_EQ(out, "");
}

TEST(LinkHandshake, TheGuestWantsAProofToo) {
    link::Handshake guest({"guest", 1, "secret"}, link::Handshake::Side::guest, 11);
    std::string out;
    EXPECT_EQ(why(guest.receive(link::Hello{.node = "evil"}, out)), "");
    EXPECT_EQ(why(guest.receive(link::Challenge{3, 11}, out)), "");  // our own number: our proof comes back as theirs
    const auto proof = std::get<link::Proof>(*link::decode(frames(out).front()));
    EXPECT_EQ(why(guest.receive(proof, out)), "wrong link secret");
    EXPECT_FALSE(guest.is_done());
}

TEST(LinkHandshake, NothingElseComesFirst) {
    link::Handshake host({"host", 2, {}}, link::Handshake::Side::host, 22);
    std::string out;
    EXPECT_EQ(why(host.receive(link::Enter{1, "lobby", "Early"}, out)), "it did not introduce itself");
    EXPECT_EQ(why(host.receive(link::Proof{}, out)), "it did not introduce itself");
    EXPECT_EQ(why(host.receive(link::Refused{0, "go\x1b[2J away"}, out)), "it refuses us: go[2J away");
}

// ---- coming back ----------------------------------------------------------------------------------------------------

TEST(Backoff, WaitsTwiceAsLongEachTimeUpToABound) {
    Backoff backoff;
    std::vector<std::chrono::milliseconds> waits;
    for (int failure = 0; failure < 7; ++failure) waits.push_back(backoff.next(0s));
    EXPECT_THAT(waits, ElementsAre(500ms, 1000ms, 2000ms, 4000ms, 8000ms, 8000ms, 8000ms));
}

TEST(Backoff, BeginsAnewAfterAConnectionThatWasGood) {
    Backoff backoff;
    for (int failure = 0; failure < 3; ++failure) backoff.next(0s);
    EXPECT_EQ(backoff.next(Backoff::good_while - 1ms), 4000ms);
    EXPECT_EQ(backoff.next(Backoff::good_while), 500ms);
    EXPECT_EQ(backoff.next(0s), 1000ms);
}

}  // namespace
