#include "net/error.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

using net::Error;

TEST(NetError, EveryReasonOfOursHasWordsOfItsOwn) {
    constexpr std::array all{Error::closed, Error::incomplete, Error::too_long, Error::cut_short, Error::stopped};
    for (const auto one : all) {
        EXPECT_NE(net::reason(one), "unknown");
        for (const auto other : all) EXPECT_EQ(net::reason(one) == net::reason(other), one == other);
    }
    EXPECT_EQ(net::reason(Error::closed), "closed");
    EXPECT_STREQ(net::make_error_code(Error::closed).category().name(), "net");
    EXPECT_TRUE(net::make_error_code(Error::closed).failed());
}

TEST(NetError, OursAreNotTakenForTheSystems) {
    const boost::system::error_code eperm(EPERM, boost::system::system_category());
    EXPECT_NE(net::make_error_code(Error::closed), eperm) << "EPERM has the same number";
}

TEST(NetError, TheSystemsWordsStartSmall) {
    EXPECT_EQ(net::reason({EADDRINUSE, boost::system::system_category()}), "address already in use");
    EXPECT_EQ(net::reason({ECONNRESET, boost::system::generic_category()}), "connection reset by peer");
    EXPECT_EQ(net::reason({EDOTDOT, boost::system::system_category()}), "RFS specific error") << "a name in capitals";
}

TEST(NetError, AShortageIsWhatComesBack) {
    for (const int number : {EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC}) {
        EXPECT_TRUE(net::is_shortage({number, boost::system::system_category()})) << number;
    }
    for (const int number : {ECONNABORTED, EINVAL, EBADF, EAGAIN}) {
        EXPECT_FALSE(net::is_shortage({number, boost::system::system_category()})) << number;
    }
    EXPECT_FALSE(net::is_shortage({}));
    EXPECT_FALSE(net::is_shortage(Error::stopped));
}
