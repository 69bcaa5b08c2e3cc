#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>

namespace net {

/// What Erlang writes as `{:ok, value} | {:error, reason}`.
template <class T>
using result = boost::system::result<T>;

}  // namespace net

namespace boost {

/// Boost asks for it by name, for errors that are not error codes; newer Boosts refuse to compile without it. It stands
/// in boost, where it is found for every type: one error of ours is a plain std::string. Nobody gets here who looks at
/// a result before taking its value.
template <class Reason>
[[noreturn]] void throw_exception_from_error(const Reason&, const source_location&) {
    throw std::logic_error("the value of a result was taken, but it holds an error");
}

}  // namespace boost
