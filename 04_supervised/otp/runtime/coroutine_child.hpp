#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "net/awaitable.hpp"

namespace otp {

/// Makes the coroutine of a child, anew for each start. What it returns is the reason of the child's end. It must not
/// be a coroutine itself that has captured something, since it may be gone before the coroutine is:
/// `[&pool] { return accept_loop(pool); }`.
using Body = std::function<net::awaitable<Reason>()>;

/// A child that is a coroutine. It contains exceptions and nothing else: a segfault or an endless loop takes the whole
/// process along (see process/process_child.hpp).
///
/// How it ends:
/// - It returns: with that reason.
/// - It throws: abnormally, with the exception's words.
/// - It is asked to stop, and returns normally or lets operation_aborted through: with the reason shutdown.
///   With `ask`, to be asked means that `ask` is called, for coroutines that have something to finish. Without `ask`
///   it means Asio's terminal cancellation: a wait under way ends with operation_aborted, and each further one throws
///   that.
/// - It is killed: it is cancelled in any case, and its end, whenever it comes, counts as killed. Nothing can end a
///   coroutine that does not want to. The process around it can be killed, and its supervisor is in another process.
Start coroutine_child(boost::asio::io_context& loop, Body body, std::function<void()> ask = {});

}  // namespace otp
