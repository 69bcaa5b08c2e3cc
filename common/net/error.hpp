#pragma once

#include "net/result.hpp"

#include <boost/system/error_code.hpp>

#include <string>

namespace net {

/// Reasons of our own, beside the system's. None of them is a failure of the program.
enum class Error {
    closed = 1,  ///< the other side has ended its stream, and everything before the end was delivered
    incomplete,  ///< no whole packet yet: more bytes are needed
    too_long,    ///< a packet over the limit; the stream cannot be followed any further
    cut_short,   ///< the stream ended inside a packet
    stopped,     ///< our own side has stopped listening
};

boost::system::error_code make_error_code(Error error);

/// What to tell people: the system's words, starting small ("connection reset by peer").
std::string reason(const boost::system::error_code& error);

/// Whether the system is short of something that comes back (descriptors, memory): accept(2)'s EMFILE, ENFILE, ENOBUFS,
/// ENOMEM and ENOSPC. The waiting client is not lost: it stays in the backlog, so wait and try again.
bool is_shortage(const boost::system::error_code& error);

}  // namespace net

template <>
struct boost::system::is_error_code_enum<net::Error> : std::true_type {};
