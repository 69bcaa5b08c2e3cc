#include "04_supervised/otp/runtime/coroutine_child.hpp"

#include "app/text.hpp"

#include <boost/asio.hpp>

namespace supervision {

namespace asio = boost::asio;

namespace {

class CoroutineLife : public Life {
public:
    explicit CoroutineLife(std::function<void()> ask) : ask_(std::move(ask)) {}

    void stop() override {
        asked_ = true;
        ask_ ? ask_() : cancellation_.emit(asio::cancellation_type::terminal);
    }
    void kill() override {
        killed_ = true;
        cancellation_.emit(asio::cancellation_type::terminal);
    }

    asio::cancellation_slot slot() { return cancellation_.slot(); }

    Reason why_ended(const std::exception_ptr& exception, const Reason& returned) const {
        if (killed_) return Reason::killed();
        if (exception && !(asked_ && is_aborted(exception))) return Reason::abnormal(app::text::what(exception));
        return asked_ && returned == Reason::normal() ? Reason::shutdown() : returned;
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
    bool asked_ = false, killed_ = false;
};

}  // namespace

Start coroutine_child(asio::io_context& loop, Body body, std::function<void()> ask) {
    return [&loop, body = std::move(body), ask = std::move(ask)](const Link& link) {
        auto life = std::make_shared<CoroutineLife>(ask);
        auto coroutine = body();
        link.started();
        asio::co_spawn(loop, std::move(coroutine),
                       asio::bind_cancellation_slot(
                           life->slot(), [link, life](const std::exception_ptr& exception, const Reason& returned) {
                               link.exited(life->why_ended(exception, returned));
                           }));
        return life;
    };
}

}  // namespace supervision
