#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>

namespace net {

/// What Erlang writes as `{:ok, value} | {:error, reason}`. The reason is the system's, unless another type is named.
template <class T, class Reason = boost::system::error_code>
using result = boost::system::result<T, Reason>;

}  // namespace net

namespace boost {

/// Boost asks for it by name, for errors that are not error codes; newer Boosts refuse to compile without it. It stands
/// in boost, where it is found for every type. Nobody gets here who looks at a result before taking its value.
template <class Reason>
[[noreturn]] void throw_exception_from_error(const Reason&, const source_location&) {
    throw std::logic_error("the value of a result was taken, but it holds an error");
}

}  // namespace boost
