#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "04_supervised/root/workers.hpp"

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>

namespace supervised {

/// Prints the tree: the root's children, and what is inside each worker, which only the worker can say.
class TreeView {
public:
    TreeView(boost::asio::io_context& loop, Workers& workers) : workers_(workers), timer_(loop) {}

    /// Asks all workers, and prints the tree when they have answered, or when `patience` is over. A call that comes
    /// meanwhile makes it do so once more.
    void show(const std::shared_ptr<otp::Runtime>& supervisor);

    /// As show(), but prints nothing where only ages differ from what was printed last.
    void show_changes(const std::shared_ptr<otp::Runtime>& supervisor);

    /// A worker has answered.
    void answered(const otp::ChildId& id, const std::string& tree);

    /// How long workers may take to answer. One that hangs is shown without what is inside it.
    static constexpr std::chrono::milliseconds patience{500};

private:
    void ask();
    void print();

    Workers& workers_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<otp::Runtime> supervisor_;
    std::set<otp::ChildId> asked_;  // workers that have not answered yet
    std::map<otp::ChildId, std::string> inside_;
    bool is_asking_ = false, again_ = false;
    bool is_wanted_ = false;    // even if nothing has changed
    std::string last_printed_;  // without ages
};

}  // namespace supervised
