#include "05_chat/link/backend.hpp"

#include "05_chat/text/protocol.hpp"
#include "app/events.hpp"
#include "app/text.hpp"

#include <boost/asio.hpp>

namespace chat {

namespace asio = boost::asio;
namespace events = app::events;
using link::Guest;
using Clock = link::Clock;

namespace {

constexpr app::Who us{"link"};

constexpr std::string_view does_not_answer = "the node that has this room does not answer";

std::string not_heard(std::size_t lines) {
    if (lines == 1) return "Your last line did not come back: perhaps the others have not heard it.";
    return "Your last " + std::to_string(lines) + " lines did not come back: perhaps the others have not heard them.";
}

}  // namespace

LinkBackend::LinkBackend(asio::io_context& loop, Backlog& backlog, Settings settings)
    : loop_(loop),
      backlog_(backlog),
      settings_(std::move(settings)),
      guest_(settings_.self, settings_.rejoin),
      subscribers_(loop.get_executor(), backlog),
      first_word_(loop.get_executor()),
      pulse_(loop),
      again_(loop) {}

// ---- the link -------------------------------------------------------------------------------------------------------

net::awaitable<result<void, Why>> LinkBackend::open() {
    const auto writer = co_await connect();
    std::shared_ptr<Writer> first;
    if (writer) first = *writer;
    if (first || settings_.rejoin) {
        asio::co_spawn(loop_, stay_linked(std::move(first)),
                       [](const std::exception_ptr& crash) { app::tell_crash(us, crash); });
    }
    while (writer && !guest_.is_up() && !why_lost_) co_await first_word_.notified();
    has_started_ = true;
    if (!writer) co_return because(net::reason(writer.error()));
    if (!guest_.is_up()) co_return because(*why_lost_);
    co_return result<void, Why>();
}

net::awaitable<net::result<std::shared_ptr<Writer>>> LinkBackend::connect() {
    net::SocketOptions frames;
    frames.packet = net::Packet::four;
    frames.max_packet = link::max_frame;
    auto socket = co_await net::async_connect(loop_, settings_.host, settings_.port, frames, settings_.handshake);
    if (!socket) co_return socket.error();
    co_return std::make_shared<Writer>(std::move(*socket), 0, backlog_);
}

net::awaitable<void> LinkBackend::stay_linked(std::shared_ptr<Writer> writer) {
    for (;;) {
        Clock::duration lasted{};
        const bool was_linked = writer != nullptr;
        if (was_linked) {
            const auto began = Clock::now();
            co_await follow(std::move(writer));
            if (!settings_.rejoin || is_stopping_) co_return;
            lasted = Clock::now() - began;
        }
        const auto wait = backoff_.next(lasted);
        if (was_linked && has_started_) app::tell(us, events::tries_again, wait.count());
        again_.expires_after(wait);
        co_await again_.async_wait(net::outcome);
        if (is_stopping_) co_return;
        auto next = co_await connect();
        if (is_stopping_) co_return;
        writer = next ? std::move(*next) : nullptr;
    }
}

/// One link, as long as it lasts.
net::awaitable<void> LinkBackend::follow(std::shared_ptr<Writer> writer) {
    writer_ = writer;
    writer->start();
    guest_.connected(random_number(), Clock::now(), settings_.handshake);
    send();
    asio::co_spawn(loop_, keep_time(writer), [](const std::exception_ptr& crash) { app::tell_crash(us, crash); });
    std::exception_ptr crash;
    try {
        co_await hear_out(*writer);
    } catch (...) {
        crash = std::current_exception();
    }
    if (app::tell_crash(us, crash)) writer->cut_off("a crash");
    pulse_.cancel();
    writer_.reset();
    const auto& why = writer->why_cut_off();
    why_lost_ = why.empty() ? net::reason(writer->socket().why_closed()) : why;
    if (has_started_) app::tell(us, events::link_lost, *why_lost_);
    guest_.lost();
    first_word_.notify();
    handle_events();
    for (const auto& [person, pending] : std::exchange(entering_, {})) pending->give(because(room_is_down));
    for (const auto& [number, pending] : std::exchange(questions_, {})) pending->give(because(room_is_down));
    co_await writer->finish(std::chrono::milliseconds(0));
}

net::awaitable<void> LinkBackend::hear_out(Writer& writer) {
    while (auto frames = co_await writer.socket().recv_all()) {
        for (const auto frame : *frames) {
            if (!writer.why_cut_off().empty()) break;
            const bool was_up = guest_.is_up();
            if (auto heard = guest_.receive(frame, Clock::now()); !heard) writer.cut_off(heard.error().words);
            if (!was_up && guest_.is_up()) {
                if (has_started_) app::tell(us, events::is_linked, guest_.peer(), writer.socket().peername());
                first_word_.notify();
            }
            handle_events();
        }
        send();
    }
}

/// Notices a host that has gone without a word.
net::awaitable<void> LinkBackend::keep_time(std::shared_ptr<Writer> writer) {
    while (writer_ == writer && writer->why_cut_off().empty()) {
        pulse_.expires_at(guest_.deadline());
        const auto [cancelled] = co_await pulse_.async_wait(net::outcome);
        if (cancelled) co_return;
        if (!guest_.time(Clock::now())) writer->cut_off("it is silent");
        send();
    }
}

void LinkBackend::stop() {
    is_stopping_ = true;
    again_.cancel();
    if (writer_) writer_->cut_off("the server is closing");
}

// ---- what comes -----------------------------------------------------------------------------------------------------

void LinkBackend::handle_events() {
    while (auto event = guest_.next_event()) {
        std::visit([this](auto& happened) { handle(std::move(happened)); }, *event);
    }
}

void LinkBackend::handle(Guest::IsIn&& event) {
    const auto participant = participants_.find(event.person);
    if (participant == participants_.end()) return;
    subscribers_.enter(*participant->second->writer, folded(event.room));
    if (event.again) {
        participant->second->rejoined({});
    } else if (const auto pending = entering_.find(event.person); pending != entering_.end()) {
        participant->second->entered();
        pending->second->give({});
        entering_.erase(pending);
    }
}

void LinkBackend::handle(Guest::IsRefused&& event) {
    const auto participant = participants_.find(event.person);
    if (participant == participants_.end()) return;
    if (event.again) {
        participant->second->rejoined(because(event.why));
    } else if (!event.entering) {
        participant->second->tell("The room refused what you said: " + event.why + ".");
    } else if (const auto pending = entering_.extract(event.person)) {
        pending.mapped()->give(because(event.why));
    }
}

void LinkBackend::handle(Guest::IsPast&& event) {
    const auto participant = participants_.find(event.person);
    if (participant != participants_.end()) participant->second->tell(words(event.line));
}

void LinkBackend::handle(Guest::IsSpoken&& event) {
    text_.clear();
    encode_text(event.line, text_);
    subscribers_.append(folded(event.room), text_);
}

void LinkBackend::handle(Guest::IsAnswered&& event) {
    if (const auto pending = questions_.extract(event.question)) pending.mapped()->give(std::move(event.text));
}

void LinkBackend::handle(Guest::IsDown&& event) {
    const auto participant = participants_.find(event.person);
    if (participant == participants_.end()) return;
    participant->second->writer->leave();
    participant->second->room_down(room_is_away(settings_.rejoin), false);
    if (event.unheard > 0) participant->second->tell(not_heard(event.unheard));
}

// ---- what our people want -------------------------------------------------------------------------------------------

template <class Answer>
net::awaitable<result<Answer, Why>> LinkBackend::answer_of(PendingPtr<Answer> pending) {
    const Deadline deadline(loop_.get_executor(), answer_patience,
                            [pending] { pending->give(because(does_not_answer)); });
    while (!pending->answer) co_await pending->answered.notified();
    co_return std::move(*pending->answer);
}

net::awaitable<result<std::string, Why>> LinkBackend::question(std::string room) {
    const auto pending = std::make_shared<Pending<std::string>>(loop_.get_executor());
    const link::Stay number = guest_.ask(room);
    questions_.emplace(number, pending);
    send();
    auto answer = co_await answer_of(pending);
    questions_.erase(number);
    co_return answer;
}

net::awaitable<result<void, Why>> LinkBackend::submit(Participant& participant, const Submission& submission) {
    if (!guest_.is_up()) co_return because(room_is_down);
    co_return co_await std::visit([&](const auto& request) { return carry_out(participant, submission.room, request); },
                                  submission.request);
}

net::awaitable<result<void, Why>> LinkBackend::carry_out(Participant& participant, const std::string& room,
                                                         const Join& request) {
    if (const auto wrong = check_name(request.name)) co_return because(reason(*wrong));
    if (const auto wrong = check_name(room)) co_return because(reason(*wrong));
    participants_.emplace(participant.id, &participant);
    const auto pending = std::make_shared<Pending<void>>(loop_.get_executor());
    entering_.insert_or_assign(participant.id, pending);
    guest_.enter(participant.id, room, request.name);
    send();
    auto outcome = co_await answer_of(pending);
    if (entering_.erase(participant.id) > 0) guest_.go(participant.id, room, {});  // the host may answer yet
    send();
    co_return outcome;
}

/// What the host would refuse need not travel.
net::awaitable<result<void, Why>> LinkBackend::carry_out(Participant& participant, const std::string& room,
                                                         const Say& request) {
    if (request.text.size() > settings_.max_line) co_return because(reason(Refusal::text_too_long));
    if (!app::text::is_utf8(request.text)) co_return because(reason(Refusal::text_not_utf8));
    guest_.speak(participant.id, room, request.text);
    send();
    co_return result<void, Why>();
}

/// They go when an answer has come, and before it everything that they said.
net::awaitable<result<void, Why>> LinkBackend::carry_out(Participant& participant, const std::string& room,
                                                         const Leave& request) {
    static_cast<void>(co_await question(room));
    if (!guest_.is_up()) co_return because(room_is_down);
    subscribers_.leave(*participant.writer, folded(room));
    guest_.go(participant.id, room, request.why);
    send();
    co_return result<void, Why>();
}

net::awaitable<result<std::string, Why>> LinkBackend::ask(Participant&, const Question& wanted) {
    if (!guest_.is_up()) co_return because(room_is_down);
    std::string room;
    if (wanted.about == Question::About::people) room = wanted.room;
    co_return co_await question(std::move(room));
}

void LinkBackend::forget(Participant& participant) {
    participant.writer->leave();
    guest_.forget(participant.id);
    participants_.erase(participant.id);
    send();
}

}  // namespace chat
