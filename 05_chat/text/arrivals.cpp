#include "05_chat/text/arrivals.hpp"

#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>

namespace chat {

namespace {

/// The owner of an address. An owner of IPv6 addresses has all that begin with the same eight bytes.
std::string owner_of(std::string_view peer) {
    const auto host = peer.substr(0, peer.rfind(':'));
    if (!host.starts_with('[')) return std::string(host);
    boost::system::error_code wrong;
    const std::string between_brackets(host.substr(1, host.size() - 2));
    const auto address = boost::asio::ip::make_address_v6(between_brackets, wrong).to_bytes();
    return {address.begin(), address.begin() + 8};
}

}  // namespace

std::optional<TokenBucket::Clock::duration> Arrivals::take(std::string_view peer, TokenBucket::Clock::time_point now) {
    if (buckets_.size() >= max_) {
        std::erase_if(buckets_, [now](const auto& entry) { return entry.second.is_full(now); });
        max_ = std::max(min_addresses, 2 * buckets_.size());
    }
    TokenBucket& bucket = buckets_.try_emplace(owner_of(peer), a_second, at_once).first->second;
    TokenBucket after = bucket;
    const auto wait = after.take(now);
    if (wait > longest_wait) return std::nullopt;
    bucket = after;
    return wait;
}

}  // namespace chat
