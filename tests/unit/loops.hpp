#pragma once

#include <boost/asio.hpp>

#include <memory>
#include <thread>
#include <vector>

/// Some event loops, each in a thread of its own, until this is destroyed.
class Loops {
public:
    explicit Loops(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>());
    }

    boost::asio::io_context& operator[](std::size_t i) { return loops_[i]->context; }
    std::size_t size() const { return loops_.size(); }

private:
    struct Loop {
        boost::asio::io_context context{1};
        boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
        std::jthread thread{[this] { context.run(); }};
        ~Loop() { context.stop(); }
    };
    std::vector<std::unique_ptr<Loop>> loops_;
};
