#include "app/faults.hpp"
#include "support/deadline.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include <sys/resource.h>
#include <sys/time.h>

namespace faults = app::faults;

namespace {

/// In a process of its own: faults cannot be switched off again, and most of them are final.
class FaultsDeathTest : public testing::Test {
protected:
    FaultsDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

    /// Obeys `packet`; what comes after it is the exit code.
    static void obey(std::string_view packet, int then = 77) {
        faults::switch_on();
        faults::obey(packet);
        std::_Exit(then);
    }
};

const testing::ExitedWithCode went_on(77);

}  // namespace

TEST_F(FaultsDeathTest, OffMeansThatNothingIsObeyed) {
    const auto try_all = [] {
        for (const auto* packet :
             {"!throw\n", "!abort\n", "!segv\n", "!overflow\n", "!spin\n", "!leak 4096\n", "!exit 3\n"}) {
            faults::obey(packet);
        }
        std::_Exit(77);
    };
    EXPECT_EXIT(try_all(), went_on, "");
}

TEST_F(FaultsDeathTest, ThrowIsAnException) {
    for (const auto* packet : {"!throw", "!throw\n", "!throw\r\n"}) {
        const auto caught = [&] {
            try {
                obey(packet);
            } catch (const faults::Fault& fault) {
                std::_Exit(std::string_view(fault.what()) == "!throw" ? 0 : 1);
            }
        };
        EXPECT_EXIT(caught(), testing::ExitedWithCode(0), "") << packet;
    }
}

TEST_F(FaultsDeathTest, ThrowWithAPlaceThrowsThereAndOnce) {
    const auto caught = [] {
        faults::throw_in("door");
        faults::obey("!throw door\r\n");  // off: not obeyed
        faults::switch_on();
        faults::throw_in("door");
        faults::obey("!throw door\r\n");
        faults::throw_in("room");
        int thrown = 0;
        for (int i = 0; i < 2; ++i) {
            try {
                faults::throw_in("door");
            } catch (const faults::Fault& fault) {
                thrown += std::string_view(fault.what()) == "!throw door" ? 1 : 10;
            }
        }
        std::_Exit(thrown);
    };
    EXPECT_EXIT(caught(), testing::ExitedWithCode(1), "");
}

TEST_F(FaultsDeathTest, AbortIsThatSignalAndSegvAndOverflowAreTheOther) {
    EXPECT_EXIT(obey("!abort\n"), testing::KilledBySignal(SIGABRT), "");
    if (support::sanitized) {  // it tells of it, and exits
        EXPECT_DEATH(obey("!segv\n"), "SEGV|null pointer");
        EXPECT_DEATH(obey("!overflow\n"), "stack-overflow|SEGV");
    } else {
        EXPECT_EXIT(obey("!segv\n"), testing::KilledBySignal(SIGSEGV), "");
        EXPECT_EXIT(obey("!overflow\n"), testing::KilledBySignal(SIGSEGV), "");
    }
}

TEST_F(FaultsDeathTest, SpinUsesAProcessorForEver) {
    const auto spin = [] {
        // A clock that goes only while this process computes.
        itimerval after{};
        after.it_value.tv_usec = 100'000;
        ::setitimer(ITIMER_VIRTUAL, &after, nullptr);
        obey("!spin\n");
    };
    EXPECT_EXIT(spin(), testing::KilledBySignal(SIGVTALRM), "");
}

TEST_F(FaultsDeathTest, LeakTakesThatMuchMemory) {
    const auto leak = [] {
        rusage before{}, after{};
        ::getrusage(RUSAGE_SELF, &before);
        faults::switch_on();
        faults::obey("!leak 64\n");
        ::getrusage(RUSAGE_SELF, &after);
        const auto mebibytes = (after.ru_maxrss - before.ru_maxrss) / 1024;
        std::_Exit(mebibytes >= 48 && mebibytes < 200 ? 0 : 1);
    };
    EXPECT_EXIT(leak(), testing::ExitedWithCode(0), "");
}

TEST_F(FaultsDeathTest, ExitHasThatCode) {
    EXPECT_EXIT(obey("!exit 3\r\n"), testing::ExitedWithCode(3), "");
    EXPECT_EXIT(obey("!exit 0\n"), testing::ExitedWithCode(0), "");
    EXPECT_EXIT(obey("!exit 255"), testing::ExitedWithCode(255), "");
}

TEST_F(FaultsDeathTest, EverythingElseIsLeftAlone) {
    const auto try_all = [] {
        faults::switch_on();
        for (const auto* packet : {"", "\n", "!", "hello\n", " !abort\n", "!abort now\n", "!ABORT\n", "abort\n",
                                   "!exit\n", "!exit \n", "!exit 256\n", "!exit -1\n", "!exit 3x\n",
                                   "!exit 99999999999\n", "!leak\n", "!leak 4097\n", "!leak x\n"}) {
            faults::obey(packet);
        }
        std::_Exit(77);
    };
    EXPECT_EXIT(try_all(), went_on, "");
}
