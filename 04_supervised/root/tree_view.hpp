#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "04_supervised/root/workers.hpp"

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>

/// Prints the tree: the root's children, and what is inside each worker, which only the worker can say.
class TreeView {
public:
    TreeView(boost::asio::io_context& loop, Workers& workers) : workers_(workers), timer_(loop) {}

    /// Asks all workers, and prints the tree when they have answered, or `patience` is over. Called again meanwhile, it
    /// does so once more afterwards.
    void show(const std::shared_ptr<supervision::Driver>& supervisor);

    /// As show(), but prints nothing where only ages differ from what was printed last.
    void show_changes(const std::shared_ptr<supervision::Driver>& supervisor);

    /// A worker has answered.
    void answered(const supervision::ChildId& id, const std::string& tree);

    /// How long workers may take to answer: one that hangs is shown without what is inside it.
    static constexpr std::chrono::milliseconds patience{500};

private:
    void ask();
    void print();

    Workers& workers_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<supervision::Driver> supervisor_;
    std::set<supervision::ChildId> asked_;  // and have not answered
    std::map<supervision::ChildId, std::string> inside_;
    bool is_asking_ = false, again_ = false;
    bool is_wanted_ = false;    // even if nothing has changed
    std::string last_printed_;  // without ages
};
