#pragma once

#include "support/program.hpp"

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace support {

/// A real etcd on loopback, of one member or of several, with its data in a directory of its own that goes with it. No
/// member outlives this object. Failure where a member does not come, with what it said. One thread at a time.
class Etcd {
public:
    struct Options {
        std::size_t members = 1;
        std::string scheme = "http";          ///< of the members' addresses for clients; "https" needs flags
        std::vector<std::string> flags = {};  ///< of etcd itself, for every member
        std::filesystem::path beside = {};    ///< where its directory is made; empty: where temporary files are
    };

    /// Whether there is an etcd in $PATH. A test without one skips, and says so.
    static bool is_there() { return is_installed("etcd"); }

    /// Starts all members, and waits until each of them answers.
    Etcd() : Etcd(Options{}) {}
    explicit Etcd(const Options& options);
    ~Etcd();
    Etcd(const Etcd&) = delete;
    Etcd& operator=(const Etcd&) = delete;

    std::size_t members() const { return members_.size(); }
    /// Where it listens for clients.
    std::uint16_t port(std::size_t member = 0) const { return members_.at(member).client_port; }
    std::string url(std::size_t member) const;
    /// All of them, as --etcd takes them: http://127.0.0.1:20123,http://127.0.0.1:20125
    std::string urls() const;
    /// Of a member that runs.
    Process& process(std::size_t member = 0) { return members_.at(member).program->process(); }

    void kill(std::size_t member = 0);   ///< kill -9
    void pause(std::size_t member = 0);  ///< SIGSTOP: its clients wait
    void resume(std::size_t member = 0) { process(member).signal(SIGCONT); }
    /// Starts a member again that was killed, with what it had on disk, and at the same port. It does not wait.
    void start(std::size_t member = 0);
    /// Until it answers, and knows a leader.
    void wait_until_healthy(std::size_t member = 0);

    /// The member that leads the others. Failure when there is none for as long as patience().
    std::size_t leader();

private:
    struct Member {
        std::uint16_t client_port, peer_port, metrics_port;
        std::unique_ptr<Program> program;
    };
    std::string get(std::size_t member, const std::string& path);
    void choose_ports();
    void start_all();
    bool one_has_ended();

    Options options_;
    std::filesystem::path directory_;
    std::vector<Member> members_;
};

}  // namespace support
