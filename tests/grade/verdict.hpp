#pragma once

#include <stdexcept>
#include <string>

namespace grade {

/// What a step throws when the server is not as it should be: the whole of what a student needs to see it.
/// `expected` and `got` are ready to be read; put bytes through in_quotes() first, or let differing() make both.
struct Wrong : std::runtime_error {
    Wrong(std::string expected, std::string got, std::string hint = "")
        : runtime_error(expected + ", but " + got),
          expected(std::move(expected)),
          got(std::move(got)),
          hint(std::move(hint)) {}

    std::string expected;
    std::string got;
    std::string hint;     ///< what this looks like: the usual cause of this symptom; may be empty
    std::string sent;     ///< what the client had sent when it happened; filled in by Client
    std::string pointer;  ///< a line with a ^ under the first wrong byte of `got`; may be empty
};

/// What a step throws when it cannot be done here: no verdict on the server. what() is the reason.
struct NotPossible : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What ends a whole run without a verdict (exit 3): the server does not start, or nobody listens there.
struct CannotRun : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace grade
