#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>

namespace net {

/// What Erlang writes as `{:ok, value} | {:error, reason}`. The reason is the system's, unless another type is named.
template <class T, class Reason = boost::system::error_code>
using result = boost::system::result<T, Reason>;

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

namespace boost {

/// Boost asks for it by name, for errors that are not error codes; newer Boosts refuse to compile without it. It stands
/// in boost, where it is found for every type. Nobody gets here who looks at a result before taking its value.
template <class Reason>
[[noreturn]] void throw_exception_from_error(const Reason&, const source_location&) {
    throw std::logic_error("the value of a result was taken, but it holds an error");
}

}  // namespace boost
