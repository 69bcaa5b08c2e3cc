#include "05_chat/fanout/writer.hpp"

#include "app/events.hpp"

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

Writer::Writer(net::AsyncSocket socket, std::uint64_t owner, Backlog& backlog)
    : socket_(std::move(socket)),
      owner_(owner),
      backlog_(backlog),
      waiting_(backlog, [this](std::string why) { cut_off(std::move(why)); }),
      outbox_(owner),
      more_(socket_.executor()),
      written_(socket_.executor()) {}

Writer::~Writer() {
    outbox_.clear();
    leave();
}

void Writer::leave() {
    if (topic_ == nullptr) return;
    if (outbox_.is_overrun()) return cut_off(too_slow);
    outbox_.leave();
    Subscribers::Topic& topic = *std::exchange(topic_, nullptr);
    topic.writers.erase(owner_);
    topic.forget();
    count();
}

/// The last words of a peer that was cut off do not count: they are one line, and wait for seconds.
void Writer::count() {
    waiting_.count(why_cut_off_.empty() ? outbox_.own_size() : 0);
}

void Writer::start() {
    asio::co_spawn(socket_.executor(), write(shared_from_this()),
                   [writer = shared_from_this()](const std::exception_ptr& crash) {
                       app::tell_crash({"writer", writer->owner_}, crash);
                       writer->has_ended_ = true;
                       writer->socket_.shutdown(net::tcp::socket::shutdown_send);
                       writer->written_.notify();
                   });
}

void Writer::add(std::string_view bytes) {
    if (bytes.empty() || !why_cut_off_.empty()) return;
    outbox_.add(bytes);
    if (outbox_.size() > backlog_.max_backlog()) write_now();
    if (outbox_.size() > backlog_.max_backlog()) return cut_off(too_slow);
    wake();
    count();
    backlog_.keep_bound();
}

void Writer::wake() {
    if (!std::exchange(is_awake_, true)) more_.notify();
}

void Writer::write_now() {
    while (has_to_write() && !is_full_ && !is_broken_ && !has_ended_) {
        std::array<asio::const_buffer, max_pieces> pieces;
        const std::size_t count = outbox_.gather(pieces);
        const auto sent = socket_.write_some(std::span(pieces).first(count));
        if (sent) {
            is_in_line_ = !ends_line(std::span(pieces).first(count), *sent);
            outbox_.consume(*sent);
            this->count();
            if (is_awaited_) written_.notify();
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
    waiting_.is_no_longer_behind();
    socket_.shutdown(last.empty() ? net::tcp::socket::shutdown_both : net::tcp::socket::shutdown_receive);
    written_.notify();
    wake();
}

/// What is left of the line of which the peer has a part. Where that is gone: the end of a line.
std::string Writer::rest_of_line() const {
    if (!is_in_line_) return {};
    std::string rest;
    std::array<asio::const_buffer, max_pieces> pieces;
    const std::size_t count = outbox_.is_overrun() ? 0 : outbox_.gather(pieces);
    for (const auto& piece : std::span(pieces).first(count)) {
        const std::string_view text(static_cast<const char*>(piece.data()), piece.size());
        const auto end = text.find('\n');
        if (end != text.npos) return rest.append(text.substr(0, end + 1));
        rest += text;
    }
    return "\r\n";
}

/// Writes until nothing is left, then waits until there is more. It keeps no pieces of the outbox while it waits: an
/// overrun may have destroyed them.
net::awaitable<void> Writer::write(std::shared_ptr<Writer> writer) {
    for (;;) {
        writer->write_now();
        if (writer->is_broken_) co_return;
        if (writer->is_full_) {
            if (writer->why_cut_off_.empty()) writer->waiting_.is_behind();
            const auto writable = co_await writer->socket_.writable();
            if (!writable) co_return;
            writer->is_full_ = false;
            writer->write_now();
            if (writer->topic_ != nullptr) writer->topic_->forget();
            continue;
        }
        writer->waiting_.is_no_longer_behind();
        if (writer->the_end_ || !writer->why_cut_off_.empty()) co_return;
        writer->is_awake_ = false;
        co_await writer->more_.notified();
    }
}

bool Writer::has_to_write() const {
    return !outbox_.is_overrun() && !outbox_.empty();
}

net::awaitable<void> Writer::eased(std::size_t at_most) {
    is_awaited_ = true;
    while (is_awaited_ && !has_ended_ && why_cut_off_.empty() && outbox_.size() > at_most) co_await written_.notified();
    is_awaited_ = false;
}

void Writer::wait_no_longer() {
    if (std::exchange(is_awaited_, false)) written_.notify();
}

void Writer::end(std::chrono::milliseconds within) {
    leave();
    if (!the_end_) {
        the_end_.emplace(socket_.executor(), within, [this] { socket_.shutdown(net::tcp::socket::shutdown_both); });
    }
    wake();
}

net::awaitable<void> Writer::finish(std::chrono::milliseconds within) {
    end(within);
    while (!has_ended_) co_await written_.notified();
    for (bool is_there = true; is_there;) {
        const auto dropped = co_await socket_.recv_all();
        is_there = dropped.has_value();
    }
    the_end_.reset();
    co_await socket_.close();
}

// ---- Subscribers ----------------------------------------------------------------------------------------------------

void Subscribers::enter(Writer& writer, std::string_view name) {
    writer.leave();
    if (!writer.why_cut_off_.empty()) return;
    Topic& topic = topics_.try_emplace(std::string(name), executor_, backlog_).first->second;
    writer.outbox_.enter(topic.log);
    writer.topic_ = &topic;
    topic.writers.emplace(writer.owner_, &writer);
    writer.count();
    // The topic that it heard before may be empty now.
    std::erase_if(topics_, [](const auto& entry) { return entry.second.writers.empty(); });
}

void Subscribers::leave(Writer& writer, std::string_view name) {
    const auto found = topics_.find(name);
    if (found == topics_.end()) return;
    Topic& topic = found->second;
    if (writer.topic_ == &topic) writer.leave();
    // A writer that was cut off has left by itself.
    if (topic.writers.empty()) topics_.erase(found);
}

void Subscribers::append(std::string_view name, std::string_view bytes) {
    const auto found = topics_.find(name);
    if (found == topics_.end()) return;
    Topic& topic = found->second;
    // So much at once would leave writers behind whose peers read well. They are offered what there is first.
    if (topic.log.end() - topic.offered + bytes.size() > backlog_.max_at_once()) topic.write_now();
    topic.log.append(bytes);
    topic.flush.schedule();
    topic.waiting.count(topic.log.kept());
    backlog_.keep_bound();
}

Subscribers::Topic::Topic(const net::Executor& executor, Backlog& backlog)
    : log(backlog.max_backlog()), waiting(backlog), flush(executor, [this] { write_now(); }) {}

/// What the log kept for those who have read it now, or have left, is free.
void Subscribers::Topic::forget() {
    if (log.kept() == 0) return;
    log.forget();
    waiting.count(log.kept());
    cut_off_overrun();
}

void Subscribers::Topic::cut_off_overrun() {
    for (const auto owner : log.take_overrun()) {
        if (const auto found = writers.find(owner); found != writers.end()) found->second->cut_off(too_slow);
    }
}

void Subscribers::Topic::write_now() {
    cut_off_overrun();
    offered = log.end();
    for (const auto& [owner, writer] : writers) writer->write_now();
    forget();
}

}  // namespace chat
