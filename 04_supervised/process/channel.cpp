#include "04_supervised/process/channel.hpp"

#include <cerrno>
#include <system_error>

#include <sys/socket.h>

namespace process {

namespace asio = boost::asio;

struct Channel::State {
    State(asio::io_context& loop, int end) : descriptor(loop, end) {}
    asio::posix::stream_descriptor descriptor;
    std::function<void(const Message&)> receive;
    std::function<void()> closed;
    std::string buffer = std::string(max_size, '\0');
    bool is_wanted = true;  // false once the Channel is gone
};

std::pair<Descriptor, Descriptor> Channel::pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        throw std::system_error(errno, std::system_category(), "socketpair");
    }
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Channel::Channel(asio::io_context& loop, Descriptor end) : state_(std::make_shared<State>(loop, end.release())) {}

Channel::~Channel() {
    state_->is_wanted = false;
    boost::system::error_code ignored;
    state_->descriptor.close(ignored);
}

void Channel::send(Message::Kind kind, std::string_view text) {
    std::string bytes(1, static_cast<char>(kind));
    bytes += text.substr(0, max_size - bytes.size());
    ::send(state_->descriptor.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Channel::start(std::function<void(const Message&)> receive, std::function<void()> closed) {
    state_->receive = std::move(receive);
    state_->closed = std::move(closed);
    wait(state_);
}

void Channel::receive_rest() {
    while (read(*state_) == Read::message) {
    }
}

Channel::Read Channel::read(State& state) {
    const auto size = ::recv(state.descriptor.native_handle(), state.buffer.data(), max_size, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Read::nothing;
    if (size <= 0) return Read::end;
    const auto kind = static_cast<Message::Kind>(state.buffer.front());
    state.receive({kind, state.buffer.substr(1, static_cast<std::size_t>(size) - 1)});
    return Read::message;
}

void Channel::wait(const std::shared_ptr<State>& state) {
    state->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [state](boost::system::error_code error) {
        if (error || !state->is_wanted) return;
        if (read(*state) == Read::end) return state->closed();
        if (state->is_wanted) wait(state);
    });
}

}  // namespace process
