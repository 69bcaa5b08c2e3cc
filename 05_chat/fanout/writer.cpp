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

Writer::Writer(net::Socket socket, std::uint64_t owner, std::size_t max_backlog, Backlog* all)
    : socket_(std::move(socket)),
      owner_(owner),
      max_backlog_(max_backlog),
      outbox_(owner),
      more_(socket_.get_executor()),
      written_(socket_.get_executor()),
      all_(all) {}

Writer::~Writer() {
    outbox_.clear();
    leave();
    count();
    if (all_ != nullptr) all_->is_no_longer_behind(*this);
}

void Writer::leave() {
    if (topic_ == nullptr) return;
    outbox_.leave();
    std::exchange(topic_, nullptr)->writers.erase(owner_);
    count();
}

/// What was cut off does not count: it is a line, and for seconds.
void Writer::count() {
    if (all_ != nullptr) all_->count(counted_, why_cut_off_.empty() ? outbox_.own_size() : 0);
}

void Writer::start() {
    asio::co_spawn(socket_.get_executor(), write(shared_from_this()),
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
    while (has_to_write() && !is_full_ && !is_broken_ && !has_ended_) {
        std::array<asio::const_buffer, 8> pieces;  // mostly there is one
        const std::size_t count = outbox_.gather(pieces);
        const auto sent = socket_.send_some(std::span(pieces).first(count));
        if (sent) {
            is_in_line_ = !ends_line(std::span(pieces).first(count), *sent);
            outbox_.consume(*sent);
            this->count();
            if (is_awaited_) written_.wake();
        } else {
            is_full_ = sent.error() == asio::error::would_block;
            is_broken_ = !is_full_;
            wake();
        }
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
        writer->write_now();
        if (writer->is_broken_) co_return;
        if (writer->is_full_) {
            if (writer->all_ != nullptr && writer->why_cut_off_.empty()) writer->all_->is_behind(*writer);
            const auto writable = co_await writer->socket_.async_writable();
            if (!writable) co_return;
            writer->is_full_ = false;
            continue;
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
    const Deadline deadline(socket_.get_executor(), within,
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

// ---- Subscribers ----------------------------------------------------------------------------------------------------

void Subscribers::enter(Writer& writer, std::string_view name) {
    Topic& topic = topics_.try_emplace(std::string(name), executor_, max_backlog_, all_).first->second;
    if (writer.topic_ != nullptr) writer.topic_->writers.erase(writer.owner_);
    writer.outbox_.enter(topic.log);
    writer.topic_ = &topic;
    topic.writers.emplace(writer.owner_, &writer);
    writer.count();
    // The one they heard before may be empty now.
    std::erase_if(topics_, [](const auto& entry) { return entry.second.writers.empty(); });
}

void Subscribers::leave(Writer& writer, std::string_view name) {
    const auto found = topics_.find(name);
    if (found == topics_.end()) return;
    Topic& topic = found->second;
    if (writer.topic_ == &topic) writer.leave();
    // Also where the writer was cut off, and has left by itself.
    if (topic.writers.empty()) topics_.erase(found);
}

void Subscribers::append(std::string_view name, std::string_view bytes) {
    const auto found = topics_.find(name);
    if (found == topics_.end()) return;
    Topic& topic = found->second;
    // So much at once that those who read well would seem to be far behind: they are offered it first.
    if (topic.log.end() - topic.offered + bytes.size() > max_backlog_ / 2) topic.write_now();
    topic.log.append(bytes);
    topic.turn.ask();
    if (all_ == nullptr) return;
    all_->count(topic.counted, topic.log.kept());
    all_->keep_bound();
}

void Subscribers::Topic::write_now() {
    for (const auto owner : log.take_overrun()) {
        if (const auto found = writers.find(owner); found != writers.end()) found->second->cut_off(too_slow);
    }
    offered = log.end();
    for (const auto& [owner, writer] : writers) writer->write_now();
}

}  // namespace chat
