// 05_chat: a room for everybody.
//
// Until now clients had nothing to do with each other. Here what one says all others hear, and the rule is that nobody
// ever waits for anybody: whoever speaks puts the line into the room's log and goes on, and each connection has a
// writer that sends the log as fast as *its* peer reads. One event loop is enough: a line costs its sender
// microseconds, and the order of a room has to be made in one place anyway.
//
// The way of a line, from the socket of whoever typed it to everybody's:
//
//     hear_out                        server.cpp                a line was typed: asks what it says, and submits that
//     TextProtocol::line              text/protocol.cpp         it says something to a room: a Submission
//     RoomService::submit             engine/room_service.cpp   the one for a Participant; nodes use the other one
//     LocalEngine::submit             engine/local.cpp          gives it its place in the order
//     RoomService::apply              engine/room_service.cpp   in that order
//     Rooms::apply                    room/room.cpp             in which room
//     Room::apply                     room/room.cpp
//     Room::happen                    room/room.cpp             what follows: a Line
//   The Line is returned, up to RoomService::apply. That goes on:
//     Subscribers::append             fanout/writer.cpp         into the room's log, once
//   Everything returns to hear_out. Soon, when whatever is ready at this moment is done, the loop calls:
//     Subscribers::Topic::write_now   fanout/writer.cpp         to everybody, all lines of this moment
//     Writer::write_now               fanout/writer.cpp         as much as the socket takes

#include "05_chat/text/server.hpp"
#include "app/events.hpp"
#include "app/faults.hpp"

namespace chat {

namespace {

std::string_view without_line_end(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

/// While lines come, do what they say. Nothing is written here.
net::awaitable<void> hear_out(Session& session) {
    session.begin(session.protocol().open());
    while (auto lines = co_await session.socket().recv_all()) {
        for (const auto line : *lines) {
            app::tell_data(session.who(), line);
            const auto typed = without_line_end(line);
            Step step;
            if (!session.is_leaving() && !session.obeys(typed)) step = session.protocol().line(typed);
            // Print it, ask the rooms; what comes of that is the next step.
            while (session.begin(step)) {
                if (const auto* question = std::get_if<Question>(&step.then)) {
                    step = session.answered(co_await session.backend().ask(session, *question));
                    continue;
                }
                const auto& submission = std::get<Submission>(step.then);
                result<void, Why> outcome;
                if (session.is_new()) outcome = co_await session.wait_to_come_in();
                if (outcome) outcome = co_await session.backend().submit(session, submission);
                step = session.outcome(submission, outcome);
            }
            if (session.is_too_fast()) co_await session.wait();
            if (session.is_leaving()) co_return;
        }
    }
}

/// One person. Whatever ends the conversation, the room hears that they have left, and they are sent what they are
/// owed.
net::awaitable<void> serve(std::shared_ptr<Session> session) {
    session->writer->start();
    std::exception_ptr crash;
    try {
        co_await hear_out(*session);
    } catch (...) {
        crash = std::current_exception();
    }
    app::tell_crash(session->who(), crash);
    if (session->socket().why_closed() == net::Error::too_long) session->tell("The line is too long. Goodbye!");
    co_await session->leave();
    if (const auto& why = session->writer->why_cut_off(); !why.empty()) {
        app::tell(session->who(), app::events::cuts_off_client, why);
    } else {
        app::tell_closed(session->who(), session->socket().why_closed());
    }
    co_await session->writer->finish(farewell);
}

/// Lets people in until the server stops. One acceptor is enough where setting a connection up costs nothing.
net::awaitable<void> TextServer::accept() {
    while (auto socket = co_await door_.async_accept(loop_)) {
        welcome(std::move(*socket));
        app::faults::throw_in("door");
    }
    if (is_retired_) co_await stopped_.notified();  // nobody comes in, but some may be here
}

}  // namespace chat
