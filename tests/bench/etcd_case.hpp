#pragma once

#include "cases.hpp"
#include "process.hpp"
#include "support/etcd.hpp"

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace bench {

/// What the rounds of a case on etcd have in common: one etcd, which is gone afterwards. Each measurement has a prefix
/// of its own in it, so that it begins with empty rooms.
///
/// etcd's members run on whatever cores there are, and write to a real disk below /var/tmp: each line waits for it.
class EtcdCase {
public:
    /// Throws where etcd does not start.
    EtcdCase(const Case& what, int server_core);

    /// Throws what the load throws, std::runtime_error where a node does not start, support::Failure where etcd fails.
    Report measure(const Subject& subject, std::stop_token stop);

private:
    // The first node, with all that was said: a newcomer has it to catch up with.
    struct Old {
        std::string prefix;
        std::unique_ptr<Server> node;
        std::uint64_t lines;
    };

    std::unique_ptr<Server> start(const Subject& subject, const std::string& prefix, std::size_t node) const;
    Report talk(const Subject& subject, std::stop_token stop);
    Report come(const Subject& subject, std::stop_token stop);
    std::string new_prefix() { return "bench" + std::to_string(++prefixes_); }

    const Case& what_;
    const int core_;
    std::unique_ptr<support::Etcd> etcd_;
    int prefixes_ = 0;
    std::map<std::string, Old> old_;  // by the subject's name
    int newcomers_ = 0;
};

}  // namespace bench
