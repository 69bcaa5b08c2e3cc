// The program that is built without the engine for many machines (FIVE_ETCD=OFF) says so, whatever etcd it is told of.

#include "05_chat/options.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using testing::HasSubstr;

TEST(WithoutEtcd, ThatIsWhatItSays) {
    for (std::string url : {"http://127.0.0.1:2379", "https://127.0.0.1:2379"}) {
        std::vector<std::string> words{"05_chat", "--engine", "etcd", "--etcd", url};
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        chat::Options options;
        app::ServerOptions server;
        options.parse_or_exit(static_cast<int>(arguments.size()), arguments.data(), server);
        ASSERT_TRUE(options.etcd);
        boost::asio::io_context loop;
        const auto engine =
            chat::etcd::make_engine(loop.get_executor(), *options.etcd, options.limits, chat::lobby, nullptr);
        ASSERT_FALSE(engine);
        EXPECT_THAT(engine.error().words, HasSubstr("FIVE_ETCD"));
    }
}

}  // namespace
