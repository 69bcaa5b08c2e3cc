#include "05_chat/client/session.hpp"

namespace chat::client {

result<void, Why> talk_in_erlang_room(const Options&, const ErlangRoom&) {
    return because("--room: this program was built without Erlang's door (FIVE_ERLANG=OFF)");
}

}  // namespace chat::client
