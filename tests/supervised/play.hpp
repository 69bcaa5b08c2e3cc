#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "support/deadline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// One supervisor with living children, in the test's own thread.
class Play {
public:
    using Reason = supervision::Reason;
    using SupFlags = supervision::SupFlags;
    using ChildSpec = supervision::ChildSpec;

    void start(const SupFlags& flags, const std::vector<ChildSpec>& children) {
        driver = std::make_shared<supervision::Driver>(
            loop, supervision::Supervisor("top", flags, children),
            supervision::Driver::Listeners{.started = [this] { is_up = true; },
                                           .exited = [this](const Reason& reason) { over = reason; },
                                           .report = [this](const auto& report) { add(report); }});
        driver->start();
    }

    void add(const supervision::Report& report) {
        reports.push_back(report.supervisor + " " + std::string(to_string(report.context)) + " " + report.offender.id +
                          ": " + to_string(report.reason));
    }

    /// Runs the loop until that is so; fails the test when it does not come about.
    void run_until(const std::function<bool()>& is_so, const std::string& what) {
        const support::Deadline deadline(support::patience());
        while (!is_so()) {
            ASSERT_FALSE(deadline.passed()) << "waited in vain until " << what;
            loop.restart();
            loop.run_one_for(std::chrono::milliseconds(deadline.left_ms()));
        }
    }

    void run_until_up() {
        run_until([this] { return is_up; }, "the supervisor is up");
    }
    void run_until_over() {
        run_until([this] { return over.has_value(); }, "the supervisor is over");
    }
    void stop() {
        driver->exit(Reason::shutdown());
        run_until_over();
    }

    /// "worker-1 running, worker-2 undefined": in start order.
    std::string children() const {
        std::string text;
        const auto infos = driver->supervisor().which_children();
        for (auto info = infos.rbegin(); info != infos.rend(); ++info) {
            text += (text.empty() ? "" : ", ") + info->id + " " + std::string(to_string(info->state));
        }
        return text;
    }

    boost::asio::io_context loop;
    std::shared_ptr<supervision::Driver> driver;
    std::vector<std::string> reports;
    bool is_up = false;
    std::optional<Reason> over;
};
