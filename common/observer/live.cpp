#include "observer/live.hpp"

#include "app/story.hpp"

#include <boost/asio.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <system_error>

#include <sys/signalfd.h>
#include <unistd.h>

namespace observer {

namespace asio = boost::asio;
namespace json = boost::json;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t read_at_once = 256 * 1024;
constexpr std::size_t longest_line = 64 * 1024;

/// The kernel is asked this often, and at most a tenth of the time.
constexpr auto between_looks = 200ms;
constexpr unsigned looks_at_processes = 3;  // every so many looks

/// A picture is made at most this often, however many ask for it.
constexpr auto picture_lives_for = 90ms;

Time present() {
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

int signal_descriptor() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&signals, number);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool names_a_log(const std::vector<std::string>& command) {
    return std::ranges::any_of(command, [](const auto& word) { return word == "--log" || word.starts_with("--log="); });
}

/// For the page: not what others must not know.
json::array shown(const std::vector<std::string>& command) {
    json::array words;
    bool is_secret = false;
    for (const auto& word : command) {
        words.push_back(json::value(std::exchange(is_secret, word == "--cookie") ? "***" : word));
        if (word.starts_with("--cookie=")) words.back() = "--cookie=***";
    }
    return words;
}

}  // namespace

Live::Live(asio::io_context& loop, const std::string& record)
    : loop_(loop),
      story_(loop),
      pidfd_(loop),
      signals_(loop, signal_descriptor()),
      look_timer_(loop),
      buffer_(read_at_once) {
    if (record.empty()) return;
    record_.open(record, std::ios::binary | std::ios::trunc);
    if (!record_) throw std::system_error(errno, std::system_category(), record);
}

int Live::run(std::vector<std::string> command) {
    if (!names_a_log(command)) command.insert(command.end(), {"--log", "json"});
    child_ = std::make_unique<Child>(command);
    kernel_.emplace(child_->pid());
    add("observes", {{"command", shown(command)}});
    story_.assign(child_->release_output());
    pidfd_.assign(child_->release_pidfd());
    wait_for_signal();
    wait_for_end();
    read();
    look();
    loop_.run();
    return end_ ? end_->exit_status : EXIT_SUCCESS;
}

int Live::read_stdin() {
    story_.assign(::dup(STDIN_FILENO));
    wait_for_signal();
    read();
    loop_.run();
    return EXIT_SUCCESS;
}

// ---- the story ------------------------------------------------------------------------------------------------------

void Live::read() {
    story_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code cancelled) {
        if (!cancelled && take_what_is_there()) read();
    });
}

/// One piece, so that pages and signals get their turn too. False at the end of the story.
bool Live::take_what_is_there() {
    const auto size = ::read(story_.native_handle(), buffer_.data(), buffer_.size());
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    take({buffer_.data(), static_cast<std::size_t>(size)});
    return true;
}

void Live::take(std::string_view bytes) {
    std::string text;
    for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
        const auto line = bytes.substr(0, end);
        if (std::exchange(is_too_long_, false)) {
            unfinished_.clear();
            model_.take_unreadable();
        } else if (unfinished_.empty()) {
            take_line(line, text);
        } else {
            take_line(std::exchange(unfinished_, {}).append(line), text);
        }
        bytes.remove_prefix(end + 1);
    }
    is_too_long_ = is_too_long_ || unfinished_.size() + bytes.size() > longest_line;
    if (!is_too_long_) unfinished_ += bytes;
    record_.flush();
    // Never waits: where nobody reads what we write, it is counted as the server's own would be.
    if (!text.empty()) app::story::show({"observer"}, "story", text);
}

void Live::take_line(std::string_view line, std::string& text) {
    if (record_.is_open()) record_ << line << '\n';
    const auto told = observer::read(line);
    if (!told) {
        model_.take_unreadable();
        (text += line) += '\n';
        return;
    }
    model_.take(*told);
    if (!told->text.empty()) (text += told->text) += '\n';
}

void Live::add(std::string_view event, json::object fields) {
    const auto told = tell(present(), event, std::move(fields));
    if (record_.is_open()) record_ << json::serialize(told.fields) << '\n' << std::flush;
    model_.take(told);
}

// ---- the server's end -----------------------------------------------------------------------------------------------

void Live::wait_for_end() {
    pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code) {
        End end;
        if (!child_->has_ended(end)) return wait_for_end();
        end_ = std::move(end);
        server_has_ended();
    });
}

void Live::server_has_ended() {
    // Its last words are in the pipe; whoever else holds that pipe, a worker without a root, may write more.
    constexpr int most_pieces = 64;
    for (int pieces = 0; pieces < most_pieces; ++pieces) {
        const auto size = ::read(story_.native_handle(), buffer_.data(), buffer_.size());
        if (size <= 0) break;
        take({buffer_.data(), static_cast<std::size_t>(size)});
    }
    add(end_->is_bad ? "ended_badly" : "ended", {{"how", end_->how}, {"exit_status", end_->exit_status}});
    look_timer_.cancel();
    if (is_asked_to_end_) return loop_.stop();
    std::cerr << "observer: the server has ended " << end_->how << "; its page stays until Ctrl-C" << std::endl;
}

// ---- signals --------------------------------------------------------------------------------------------------------

void Live::wait_for_signal() {
    signals_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code) {
        signalfd_siginfo info{};
        while (::read(signals_.native_handle(), &info, sizeof info) == sizeof info) {
            obey(static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL);
        }
        wait_for_signal();
    });
}

/// What the terminal sends, the server has got as well; what somebody sends to us alone, it gets from us.
void Live::obey(int signal, bool is_from_terminal) {
    const bool is_end = signal == SIGINT || signal == SIGTERM || (signal == SIGHUP && is_from_terminal);
    is_asked_to_end_ = is_asked_to_end_ || is_end;
    if (is_over()) {
        if (is_end) loop_.stop();
        return;
    }
    // Then both end when the server has: it may have replies to finish.
    if (!is_from_terminal) child_->signal(signal);
}

// ---- what the kernel knows ------------------------------------------------------------------------------------------

void Live::look() {
    if (is_over()) return;
    const auto begin = Clock::now();
    if (auto door = kernel_->door(); !door.empty()) {
        auto seen = json::serialize(door);
        if (seen != last_door_) add("door", std::move(door));
        last_door_ = std::move(seen);
    }
    if (looks_++ % looks_at_processes == 0) {
        if (auto processes = kernel_->processes(); !processes.empty()) add("processes", std::move(processes));
    }
    constexpr int busy_at_most = 10;
    look_timer_.expires_after(std::max<Clock::duration>(between_looks, busy_at_most * (Clock::now() - begin)));
    look_timer_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled) look();
    });
}

// ---- pictures -------------------------------------------------------------------------------------------------------

std::shared_ptr<const std::string> Live::now() {
    const auto now = Clock::now();
    if (!picture_ || now - painted_ >= picture_lives_for) {
        painted_ = now;
        // A story that comes from a file has a clock of its own.
        constexpr Time too_far = 10 * second;
        const auto present = observer::present();
        const bool is_of_now = model_.time() == 0 || present - model_.time() < too_far || child_;
        const auto at = std::max(is_of_now ? present : model_.time(), model_.time());
        picture_ = std::make_shared<std::string>(json::serialize(model_.picture(at)));
    }
    return picture_;
}

std::shared_ptr<const std::string> Live::at(std::int64_t) {
    return now();
}

}  // namespace observer
