#pragma once

#include "app/events.hpp"
#include "app/faults.hpp"
#include "app/story.hpp"
#include "net/async_socket.hpp"

#include <initializer_list>
#include <iterator>
#include <string_view>

namespace app {

/// The packets of one read. Each is told, and a fault obeyed, when it is looked at; all of them are told in one write.
/// Nobody may wait for anything while they are looked at.
class ToldPackets {
public:
    class Iterator {
    public:
        Iterator(net::Packets packets, Who who) : at_(packets.begin()), end_(packets.end()), who_(who) {}
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
        bool operator==(std::default_sentinel_t) const { return at_ == end_; }

    private:
        net::Packets::iterator at_, end_;
        Who who_;
        story::Batch together_;
    };

    ToldPackets(net::Packets packets, Who who) : packets_(packets), who_(who) {}
    Iterator begin() const { return {packets_, who_}; }
    static std::default_sentinel_t end() { return {}; }

private:
    net::Packets packets_;
    Who who_;
};

/// As Client, for a coroutine in the socket's loop.
class AsyncClient {
public:
    AsyncClient(net::AsyncSocket socket, Who who) : socket_(std::move(socket)), who_(who) {}

    net::awaitable<net::result<ToldPackets>> recv_all() {
        tell(who_, events::waits_for_data);
        const auto packets = co_await socket_.recv_all();
        if (!packets) co_return packets.error();
        co_return ToldPackets(*packets, who_);
    }

    void put(std::initializer_list<std::string_view> pieces) { socket_.put(pieces); }

    net::awaitable<void> close() {
        tell_closed(who_, socket_.why_closed());
        return socket_.close();
    }

    net::AsyncSocket& socket() { return socket_; }
    Who who() const { return who_; }

private:
    net::AsyncSocket socket_;
    Who who_;
};

}  // namespace app
