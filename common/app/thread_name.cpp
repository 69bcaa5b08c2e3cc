#include "app/thread_name.hpp"

#include <pthread.h>

namespace app {

void name_thread(const Who& who) {
    constexpr std::size_t longest = 15;
    const auto name = to_string(who).substr(0, longest);
#ifdef __APPLE__
    ::pthread_setname_np(name.c_str());
#else
    ::pthread_setname_np(::pthread_self(), name.c_str());
#endif
}

}  // namespace app
