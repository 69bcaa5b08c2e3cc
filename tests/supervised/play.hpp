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
    using Reason = otp::Reason;
    using SupFlags = otp::SupFlags;
    using ChildSpec = otp::ChildSpec;

    void start(const SupFlags& flags, const std::vector<ChildSpec>& children) {
        runtime = std::make_shared<otp::Runtime>(
            loop, otp::Supervisor("top", flags, children),
            otp::Runtime::Callbacks{.started = [this] { is_up = true; },
                                    .exited = [this](const Reason& reason) { over = reason; },
                                    .report = [this](const auto& report) { add(report); }});
        runtime->start();
    }

    void add(const otp::Report& report) {
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
        runtime->exit(Reason::shutdown());
        run_until_over();
    }

    /// "worker-1 running, worker-2 undefined": in start order.
    std::string children() const {
        std::string text;
        const auto infos = runtime->supervisor().which_children();
        for (auto info = infos.rbegin(); info != infos.rend(); ++info) {
            text += (text.empty() ? "" : ", ") + info->id + " " + std::string(to_string(info->state));
        }
        return text;
    }

    boost::asio::io_context loop;
    std::shared_ptr<otp::Runtime> runtime;
    std::vector<std::string> reports;
    bool is_up = false;
    std::optional<Reason> over;
};
