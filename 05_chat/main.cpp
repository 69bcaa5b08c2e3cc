// 05_chat as a program: its rooms, the list of its doors, its signals. What it teaches is in server.cpp.

#include "05_chat/doors.hpp"
#include "05_chat/operator/workers.hpp"
#include "05_chat/services.hpp"
#include "05_chat/text/server.hpp"
#include "app/events.hpp"

#include <boost/asio.hpp>

namespace chat {
namespace {

class Chat {
public:
    Chat(const Options& options, const app::ServerOptions& server)
        : options_(options),
          server_(server),
          operator_(make_operator(loop_, options, server)),
          backlog_(options.max_backlog, options.max_waiting),
          engine_(operator_->or_exit(make_engine(loop_, options, [this](const std::string& why) { give_up(why); }))),
          rooms_(loop_.get_executor(), *engine_, options.limits, lobby, encode_text, backlog_) {}

    int run() {  // returns the exit status
        boost::asio::co_spawn(loop_, start(), [](const std::exception_ptr& crash) {
            if (crash) std::rethrow_exception(crash);
        });
        loop_.run();  // until nobody is left
        app::tell({"server"}, app::events::stopped);
        return has_given_up_ || services_.have_given_up() ? EXIT_FAILURE : operator_->exit_status();
    }

private:
    net::awaitable<void> start() {
        net::Listener listener = operator_->listener();
        const link::Self self = operator_->or_exit(who_we_are(options_, listener.sockname()));
        operator_->comes_up([this] { end_coming_up(); });
        if (options_.again) engine_->announce();  // the program's first line is out
        auto opened = co_await engine_->open();
        if (is_stopping_) co_return;
        operator_->or_exit(std::move(opened));
        doors_ = operator_->or_exit(doors_for_nodes(loop_, options_, server_, self, rooms_, backlog_));
        elsewhere_ = operator_->or_exit(rooms_elsewhere(loop_, options_, self, backlog_));
        const auto joined = co_await join();
        add_text_door(std::move(listener));
        for (const auto& door : doors_) operator_->or_exit(co_await door->open());
        co_await operator_->ready(text_->listener());
        if (!joined) app::tell({"server"}, app::events::room_is_down, elsewhere_->where(), joined.error().words);
        if (joined && elsewhere_) app::tell({"server"}, app::events::room_is_up, elsewhere_->where());
        engine_->announce();
        for (const auto& door : doors_) door->announce();
        start_services();
        if (app::story::tells_details()) {
            boost::asio::co_spawn(loop_, keep_telling(),
                                  [](const std::exception_ptr& crash) { app::tell_crash({"server"}, crash); });
        }
        operator_->obey({[this] { stop(); }, [this] { retire(); }, [this] { return tree(); }});
        if (is_stopping_) stop();
    }

    /// An engine may open for long. What else comes up takes a moment, and is stopped when it is up.
    void end_coming_up() {
        is_stopping_ = true;
        engine_->stop();
    }

    /// Whether those of --join are there; with --rejoin they may come later.
    net::awaitable<result<void, Why>> join() {
        if (!elsewhere_) co_return result<void, Why>();
        auto joined = co_await elsewhere_->open();
        if (!joined && !options_.rejoin)
            operator_->fail("cannot join " + elsewhere_->where() + ": " + joined.error().words);
        co_return joined;
    }

    void add_text_door(net::Listener listener) {
        Backend& backend = elsewhere_ ? static_cast<Backend&>(*elsewhere_) : rooms_;
        auto text = std::make_unique<TextServer>(
            loop_, std::move(listener), backend, elsewhere_ ? elsewhere_->first_room() : std::string(lobby),
            options_.session_limits, backlog_, [this] { return rooms_.next_person(); });
        text_ = text.get();
        doors_.push_back(std::move(text));
    }

    void start_services() {
        const auto begin_anew = [this] {
            for (const auto& door : doors_) door->hang_up("the rooms begin anew");
        };
        services_.add("rooms", [=, this] { return rooms_.live(begin_anew); }, [this] { rooms_.stop_living(); });
        for (const auto& door : doors_) services_.add(*door);
        services_.start([this] { stop(); });
    }

    /// For programs that read the story: what nobody asks for, and no event brings about.
    net::awaitable<void> keep_telling() {
        using namespace std::chrono_literals;
        constexpr auto between = 250ms, worth_telling = 10ms;
        while (!was_stopped_) {
            next_look_.expires_after(between);
            const auto [cancelled] = co_await next_look_.async_wait(net::outcome);
            if (cancelled) co_return;
            const auto late = std::chrono::steady_clock::now() - next_look_.expiry();
            if (late > worth_telling) app::tell_detail({"server"}, app::events::lags, late / 1ms);
            for (const auto& door : doors_) door->tell_who_is_behind();
        }
    }

    /// What runs here, and who is where. Of several workers each tells of its own people.
    std::string tree() const {
        const bool sees_all = !elsewhere_ && options_.worker == 0;
        return engine_->tree() + services_.tree() + (sees_all ? who_is_where(rooms_.rooms()) : text_->who_is_where());
    }

    void retire() {
        text_->retire(options_.shutdown_timeout, [this] { operator_->nobody_is_left(); });
    }

    /// What this node shows may not be what the others see any more.
    void give_up(const std::string& why) {
        operator_->last_words(why);
        has_given_up_ = true;
        stop();
    }

    void stop() {
        was_stopped_ = true;
        next_look_.cancel();
        operator_->cancel();
        services_.stop();
        engine_->stop();
        if (elsewhere_) elsewhere_->stop();
    }

    const Options& options_;
    const app::ServerOptions& server_;
    boost::asio::io_context loop_{1};
    std::unique_ptr<Operator> operator_;
    Backlog backlog_;  // of all connections together
    std::unique_ptr<Engine> engine_;
    RoomService rooms_;
    std::unique_ptr<RemoteBackend> elsewhere_;  // the rooms in which our people are, where those are not ours
    std::vector<std::unique_ptr<Door>> doors_;  // the last one is closed first: it is the people's
    TextServer* text_ = nullptr;
    Services services_{loop_, options_.supervised || options_.worker > 0};
    net::Timer next_look_{loop_};
    bool was_stopped_ = false;
    bool has_given_up_ = false;
    bool is_stopping_ = false;  // before it was up
};

}  // namespace
}  // namespace chat

int main(int argc, char** argv) {
    chat::Options options;
    app::ServerOptions server;
    options.parse_or_exit(argc, argv, server);
    if (options.worker > 0) app::story::speak_as({"worker", options.worker});
    server.apply();
    if (options.workers > 0 && options.worker == 0) return chat::run_root(options, server);
    return chat::Chat(options, server).run();
}
