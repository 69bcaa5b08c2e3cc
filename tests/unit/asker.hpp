#pragma once

#include "unit/allocations.hpp"
#include "unit/twins.hpp"

#include <future>

namespace twins {

/// Asks for the same again and again, and waits for each reply.
class Asker {
public:
    explicit Asker(tcp::socket& client)
        : done_(std::async(std::launch::async, [&client] {
              for (int i = 0; i < 2000; ++i) {
                  write(client, "hello\r\n");
                  EXPECT_EQ(read(client, 12), "ECHO hello\r\n");
              }
              client.shutdown(tcp::socket::shutdown_send);
          })) {}

    /// The server got one more.
    void served() {
        if (++served_ == 1000) before_ = Allocations().count;
        if (served_ == 2000) after_ = Allocations().count;
    }
    std::size_t allocations_of_the_second_thousand() const { return after_ - before_; }

private:
    int served_ = 0;
    std::size_t before_ = 0, after_ = 1;
    std::future<void> done_;
};

}  // namespace twins
