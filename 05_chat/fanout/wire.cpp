#include "05_chat/fanout/wire.hpp"

#include <boost/asio.hpp>

namespace chat {

namespace asio = boost::asio;

namespace {

const std::string too_slow = "it reads too slowly";

/// Whether the first `bytes` of these end with a line.
bool ends_line(std::span<const asio::const_buffer> pieces, std::size_t bytes) {
    for (const auto& piece : pieces) {
        if (bytes > piece.size()) {
            bytes -= piece.size();
        } else {
            return bytes > 0 && static_cast<const char*>(piece.data())[bytes - 1] == '\n';
        }
    }
    return false;
}

}  // namespace

Wire::Wire(net::Socket socket, std::uint64_t owner, std::size_t max_backlog, Backlog* all)
    : socket_(std::move(socket)),
      owner_(owner),
      max_backlog_(max_backlog),
      outbox_(owner),
      more_(socket_.get_executor()),
      written_(socket_.get_executor()),
      all_(all) {}

Wire::~Wire() {
    outbox_.clear();
    leave();
    count();
    if (all_ != nullptr) all_->is_no_longer_behind(*this);
}

void Wire::leave() {
    if (audience_ != nullptr) audience_->leave(*this);
}

/// What was cut off does not count: it is a line, and for seconds.
void Wire::count() {
    if (all_ != nullptr) all_->count(counted_, why_cut_off_.empty() ? outbox_.own_size() : 0);
}

void Wire::start() {
    asio::co_spawn(socket_.get_executor(), write(shared_from_this()),
                   [wire = shared_from_this()](const std::exception_ptr&) {
                       wire->has_ended_ = true;
                       wire->written_.wake();
                   });
}

void Wire::add(std::string_view bytes) {
    if (bytes.empty() || !why_cut_off_.empty()) return;
    outbox_.add(bytes);
    if (outbox_.size() > max_backlog_) write_now();
    if (outbox_.size() > max_backlog_) return cut_off(too_slow);
    wake();
    count();
    if (all_ != nullptr) all_->keep_bound();
}

void Wire::wake() {
    if (!std::exchange(is_awake_, true)) more_.wake();
}

void Wire::write_now() {
    if (is_full_ || has_ended_) return;
    while (has_to_write()) {
        if (!write_some()) return wake();  // the writer meets the same error: it waits, or it ends
    }
}

void Wire::cut_off(std::string why) {
    if (!why_cut_off_.empty()) return;
    why_cut_off_ = std::move(why);
    const std::string last = last_words_ == nullptr ? "" : rest_of_line() + last_words_(why_cut_off_);
    outbox_.clear();
    leave();
    outbox_.add(last);
    count();
    if (all_ != nullptr) all_->is_no_longer_behind(*this);
    socket_.shutdown(last.empty() ? net::tcp::socket::shutdown_both : net::tcp::socket::shutdown_receive);
    written_.wake();
    wake();
}

/// What is still to come of the line of which the peer has a part; where that is gone, the line's end.
std::string Wire::rest_of_line() const {
    if (!is_in_line_) return {};
    std::string rest;
    std::array<asio::const_buffer, 8> pieces;
    const std::size_t count = outbox_.is_overrun() ? 0 : outbox_.gather(pieces);
    for (const auto& piece : std::span(pieces).first(count)) {
        const std::string_view text(static_cast<const char*>(piece.data()), piece.size());
        const auto end = text.find('\n');
        rest += text.substr(0, end == text.npos ? end : end + 1);
        if (end != text.npos) return rest;
    }
    return "\r\n";
}

/// Writes until there is nothing left, sleeps until there is more. Nothing is held over a wait: a peer that is overrun
/// loses the bytes that it was to be sent, and the system must not have them still.
net::awaitable<void> Wire::write(std::shared_ptr<Wire> wire) {
    for (;;) {
        while (wire->has_to_write()) {
            const auto sent = wire->write_some();
            if (sent) continue;
            if (sent.error() != asio::error::would_block) co_return;
            wire->is_full_ = true;
            if (wire->all_ != nullptr && wire->why_cut_off_.empty()) wire->all_->is_behind(*wire);
            const auto writable = co_await wire->socket_.async_writable();
            wire->is_full_ = false;
            if (!writable) co_return;
        }
        if (wire->all_ != nullptr) wire->all_->is_no_longer_behind(*wire);
        if (wire->is_finishing_ || !wire->why_cut_off_.empty()) co_return;
        wire->is_awake_ = false;
        co_await wire->more_.wait();
    }
}

bool Wire::has_to_write() const {
    return !outbox_.is_overrun() && !outbox_.empty();
}

net::result<std::size_t> Wire::write_some() {
    std::array<asio::const_buffer, 8> pieces;  // mostly there is one
    const std::size_t count = outbox_.gather(pieces);
    const auto sent = socket_.send_some(std::span(pieces).first(count));
    if (!sent) return sent;
    is_in_line_ = !ends_line(std::span(pieces).first(count), *sent);
    outbox_.consume(*sent);
    this->count();
    if (is_awaited_) written_.wake();
    return sent;
}

net::awaitable<void> Wire::eased(std::size_t at_most) {
    is_awaited_ = true;
    while (is_awaited_ && !has_ended_ && why_cut_off_.empty() && outbox_.size() > at_most) co_await written_.wait();
    is_awaited_ = false;
}

void Wire::wait_no_longer() {
    if (std::exchange(is_awaited_, false)) written_.wake();
}

net::awaitable<void> Wire::finish(std::chrono::milliseconds within) {
    leave();
    const Timeout deadline(socket_.get_executor(), within,
                           [this] { socket_.shutdown(net::tcp::socket::shutdown_both); });
    is_finishing_ = true;
    wake();
    while (!has_ended_) co_await written_.wait();
    // Closing with bytes unread would reset the connection, and could destroy what is on its way.
    socket_.shutdown(net::tcp::socket::shutdown_send);
    for (bool is_there = true; is_there;) {
        const auto packets = co_await socket_.async_recv_many();
        is_there = packets.has_value();
    }
    co_await socket_.async_close();
}

// ---- Audience -------------------------------------------------------------------------------------------------------

Audience::Audience(net::Executor executor, std::size_t max_backlog, Backlog* all)
    : log_(max_backlog), max_unwritten_(max_backlog / 2), all_(all), turn_(std::move(executor), [this] { turn(); }) {}

Audience::~Audience() {
    if (all_ != nullptr) all_->count(counted_, 0);
}

void Audience::enter(Wire& wire) {
    if (wire.audience_ != nullptr) wire.audience_->wires_.erase(wire.owner_);
    wire.outbox_.enter(log_);
    wire.audience_ = this;
    wires_.emplace(wire.owner_, &wire);
    wire.count();
}

void Audience::leave(Wire& wire) {
    wire.outbox_.leave();
    wire.audience_ = nullptr;
    wires_.erase(wire.owner_);
    wire.count();
}

void Audience::append(std::string_view bytes) {
    // So much at once that those who read well would seem to be far behind: they are offered it first.
    if (log_.end() - offered_ + bytes.size() > max_unwritten_) write_now();
    log_.append(bytes);
    turn_.ask();
    if (all_ == nullptr) return;
    all_->count(counted_, log_.kept());
    all_->keep_bound();
}

void Audience::write_now() {
    offered_ = log_.end();
    for (const auto& [owner, wire] : wires_) wire->write_now();
}

void Audience::turn() {
    for (const auto owner : log_.take_overrun()) {
        if (const auto found = wires_.find(owner); found != wires_.end()) found->second->cut_off(too_slow);
    }
    write_now();
}

}  // namespace chat
