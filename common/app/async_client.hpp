#pragma once

#include "app/events.hpp"
#include "app/faults.hpp"
#include "app/story.hpp"
#include "net/socket.hpp"

#include <initializer_list>
#include <string_view>

namespace app {

/// The packets of one read. Each is told, and a fault obeyed, when it is looked at; all of them are told in one write.
/// Nobody may wait for anything while they are looked at.
class ToldPackets {
public:
    class Iterator {
    public:
        Iterator(net::Packets& packets, Who who) : at_(packets.begin()), who_(who) {}
        std::string_view operator*() const {
            const auto packet = *at_;
            tell_data(who_, packet);
            faults::obey(packet);
            return packet;
        }
        Iterator& operator++() {
            ++at_;
            return *this;
        }
        bool operator==(net::Packets::End end) const { return at_ == end; }

    private:
        net::Packets::Iterator at_;
        Who who_;
        story::Batch together_;
    };

    ToldPackets(net::Packets packets, Who who) : packets_(packets), who_(who) {}
    Iterator begin() const { return {packets_, who_}; }
    static net::Packets::End end() { return {}; }

private:
    mutable net::Packets packets_;
    Who who_;
};

/// As Client, for a coroutine in the socket's loop.
class AsyncClient {
public:
    AsyncClient(net::Socket socket, Who who) : socket_(std::move(socket)), who_(who) {}

    net::awaitable<net::result<ToldPackets>> recv_all() {
        if (!socket_.try_flush()) {
            if (const auto sent = co_await socket_.async_flush(); !sent) co_return sent.error();
        }
        tell(who_, events::waits_for_data);
        auto packets = co_await socket_.async_recv_at_once();
        if (!packets) co_return packets.error();
        co_return ToldPackets(*packets, who_);
    }

    void put(std::initializer_list<std::string_view> pieces) { socket_.put(pieces); }

    net::awaitable<void> close() {
        tell_closed(who_, socket_.why_closed());
        return socket_.async_close();
    }

    net::Socket& socket() { return socket_; }
    Who who() const { return who_; }

private:
    net::Socket socket_;
    Who who_;
};

}  // namespace app
