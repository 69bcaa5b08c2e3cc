#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "net/awaitable.hpp"

namespace supervision {

/// A child that is a coroutine. It contains exceptions and nothing else: a segfault or an endless loop takes the whole
/// process (see process_child.hpp).
///
/// `body` is called for each life and returns its coroutine. It must not be a coroutine itself that has captured
/// something, since it may be gone before the coroutine is: `[&pool] { return acceptor(pool); }`.
///
/// How it ends: the reason that it returns; an exception is abnormal, with the exception's words. Asked to stop, it is
/// cancelled (Asio's terminal cancellation): a wait under way ends with operation_aborted, and each further one throws
/// that. Or, where there is `ask`, that is called instead, for coroutines that have something to finish. Whoever was
/// asked and then returns normally, or lets operation_aborted through, has done as it was told: shutdown.
///
/// kill() cancels in any case, and the end, whenever it comes, counts as killed. There is no way to end a coroutine
/// that does not want to; the process around it can be killed, and its supervisor sits in another process.
using Body = std::function<net::awaitable<Reason>()>;
Start coroutine_child(boost::asio::io_context& loop, Body body, std::function<void()> ask = {});

}  // namespace supervision
