#include "04_supervised/otp/runtime/coroutine_child.hpp"

#include "app/text.hpp"

#include <boost/asio.hpp>

namespace otp {

namespace asio = boost::asio;

namespace {

class CoroutineChild : public Child {
public:
    explicit CoroutineChild(std::function<void()> ask) : ask_(std::move(ask)) {}

    void stop() override {
        was_asked_ = true;
        if (ask_) {
            ask_();
        } else {
            cancellation_.emit(asio::cancellation_type::terminal);
        }
    }
    void kill() override {
        was_killed_ = true;
        cancellation_.emit(asio::cancellation_type::terminal);
    }

    asio::cancellation_slot slot() { return cancellation_.slot(); }

    Reason why_ended(const std::exception_ptr& exception, const Reason& returned) const {
        if (was_killed_) return Reason::killed();
        const bool has_obeyed = was_asked_ && (exception ? is_aborted(exception) : returned == Reason::normal());
        if (has_obeyed) return Reason::shutdown();
        return exception ? Reason::abnormal(app::text::what(exception)) : returned;
    }

private:
    static bool is_aborted(const std::exception_ptr& exception) {
        try {
            std::rethrow_exception(exception);
        } catch (const boost::system::system_error& error) {
            return error.code() == asio::error::operation_aborted;
        } catch (...) {
            return false;
        }
    }

    std::function<void()> ask_;
    asio::cancellation_signal cancellation_;
    bool was_asked_ = false, was_killed_ = false;
};

}  // namespace

Start coroutine_child(asio::io_context& loop, Body body, std::function<void()> ask) {
    return [&loop, body = std::move(body), ask = std::move(ask)](const ReportTo& report_to) {
        auto child = std::make_shared<CoroutineChild>(ask);
        auto coroutine = body();
        report_to.started();
        asio::co_spawn(
            loop, std::move(coroutine),
            asio::bind_cancellation_slot(
                child->slot(), [report_to, child](const std::exception_ptr& exception, const Reason& returned) {
                    report_to.exited(child->why_ended(exception, returned));
                }));
        return child;
    };
}

}  // namespace otp
