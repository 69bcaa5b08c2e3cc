#include "05_chat/fanout/writer.hpp"

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

Writer::Writer(net::AsyncSocket socket, std::uint64_t owner, std::size_t max_backlog, Backlog* all)
    : socket_(std::move(socket)),
      owner_(owner),
      max_backlog_(max_backlog),
      outbox_(owner),
      more_(socket_.executor()),
      written_(socket_.executor()),
      all_(all) {}

Writer::~Writer() {
    outbox_.clear();
    leave();
    count();
    if (all_ != nullptr) all_->is_no_longer_behind(*this);
}

void Writer::leave() {
    if (subscribers_ != nullptr) subscribers_->leave(*this);
}

/// What was cut off does not count: it is a line, and for seconds.
void Writer::count() {
    if (all_ != nullptr) all_->count(counted_, why_cut_off_.empty() ? outbox_.own_size() : 0);
}

void Writer::start() {
    asio::co_spawn(socket_.executor(), write(shared_from_this()),
                   [writer = shared_from_this()](const std::exception_ptr&) {
                       writer->has_ended_ = true;
                       writer->written_.wake();
                   });
}

void Writer::add(std::string_view bytes) {
    if (bytes.empty() || !why_cut_off_.empty()) return;
    outbox_.add(bytes);
    if (outbox_.size() > max_backlog_) write_now();
    if (outbox_.size() > max_backlog_) return cut_off(too_slow);
    wake();
    count();
    if (all_ != nullptr) all_->keep_bound();
}

void Writer::wake() {
    if (!std::exchange(is_awake_, true)) more_.wake();
}

void Writer::write_now() {
    if (is_full_ || has_ended_) return;
    while (has_to_write()) {
        if (!write_some()) return wake();  // the writer meets the same error: it waits, or it ends
    }
}

void Writer::cut_off(std::string why) {
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
std::string Writer::rest_of_line() const {
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
net::awaitable<void> Writer::write(std::shared_ptr<Writer> writer) {
    for (;;) {
        while (writer->has_to_write()) {
            const auto sent = writer->write_some();
            if (sent) continue;
            if (sent.error() != asio::error::would_block) co_return;
            writer->is_full_ = true;
            if (writer->all_ != nullptr && writer->why_cut_off_.empty()) writer->all_->is_behind(*writer);
            const auto writable = co_await writer->socket_.writable();
            writer->is_full_ = false;
            if (!writable) co_return;
        }
        if (writer->all_ != nullptr) writer->all_->is_no_longer_behind(*writer);
        if (writer->is_finishing_ || !writer->why_cut_off_.empty()) co_return;
        writer->is_awake_ = false;
        co_await writer->more_.wait();
    }
}

bool Writer::has_to_write() const {
    return !outbox_.is_overrun() && !outbox_.empty();
}

net::result<std::size_t> Writer::write_some() {
    std::array<asio::const_buffer, 8> pieces;  // mostly there is one
    const std::size_t count = outbox_.gather(pieces);
    const auto sent = socket_.write_some(std::span(pieces).first(count));
    if (!sent) return sent;
    is_in_line_ = !ends_line(std::span(pieces).first(count), *sent);
    outbox_.consume(*sent);
    this->count();
    if (is_awaited_) written_.wake();
    return sent;
}

net::awaitable<void> Writer::eased(std::size_t at_most) {
    is_awaited_ = true;
    while (is_awaited_ && !has_ended_ && why_cut_off_.empty() && outbox_.size() > at_most) co_await written_.wait();
    is_awaited_ = false;
}

void Writer::wait_no_longer() {
    if (std::exchange(is_awaited_, false)) written_.wake();
}

net::awaitable<void> Writer::finish(std::chrono::milliseconds within) {
    leave();
    const Deadline deadline(socket_.executor(), within,
                            [this] { socket_.shutdown(net::tcp::socket::shutdown_both); });
    is_finishing_ = true;
    wake();
    while (!has_ended_) co_await written_.wait();
    // Closing with bytes unread would reset the connection, and could destroy what is on its way.
    socket_.shutdown(net::tcp::socket::shutdown_send);
    for (bool is_there = true; is_there;) {
        const auto packets = co_await socket_.recv_all();
        is_there = packets.has_value();
    }
    co_await socket_.close();
}

// ---- Subscribers
// -------------------------------------------------------------------------------------------------------

Subscribers::Subscribers(net::Executor executor, std::size_t max_backlog, Backlog* all)
    : log_(max_backlog), max_unwritten_(max_backlog / 2), all_(all), turn_(std::move(executor), [this] { turn(); }) {}

Subscribers::~Subscribers() {
    if (all_ != nullptr) all_->count(counted_, 0);
}

void Subscribers::enter(Writer& writer) {
    if (writer.subscribers_ != nullptr) writer.subscribers_->writers_.erase(writer.owner_);
    writer.outbox_.enter(log_);
    writer.subscribers_ = this;
    writers_.emplace(writer.owner_, &writer);
    writer.count();
}

void Subscribers::leave(Writer& writer) {
    writer.outbox_.leave();
    writer.subscribers_ = nullptr;
    writers_.erase(writer.owner_);
    writer.count();
}

void Subscribers::append(std::string_view bytes) {
    // So much at once that those who read well would seem to be far behind: they are offered it first.
    if (log_.end() - offered_ + bytes.size() > max_unwritten_) write_now();
    log_.append(bytes);
    turn_.ask();
    if (all_ == nullptr) return;
    all_->count(counted_, log_.kept());
    all_->keep_bound();
}

void Subscribers::write_now() {
    offered_ = log_.end();
    for (const auto& [owner, writer] : writers_) writer->write_now();
}

void Subscribers::turn() {
    for (const auto owner : log_.take_overrun()) {
        if (const auto found = writers_.find(owner); found != writers_.end()) found->second->cut_off(too_slow);
    }
    write_now();
}

}  // namespace chat
