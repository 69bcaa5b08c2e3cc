// What a program says that was built without Erlang's door (FIVE_ERLANG=OFF).

#include "05_chat/erlang/erlang.hpp"

namespace erlang {

chat::result<std::unique_ptr<chat::Door>, chat::Why> make_door(boost::asio::io_context&, net::Listener,
                                                               chat::RoomService&, chat::Backlog&, const Settings&) {
    return chat::because("--sname: this program was built without Erlang's door (FIVE_ERLANG=OFF)");
}

chat::result<std::unique_ptr<chat::RemoteBackend>, chat::Why> make_backend(boost::asio::io_context&, chat::Backlog&,
                                                                           const chat::ErlangRoom&, const Settings&) {
    return chat::because("--join: this program was built without Erlang's door (FIVE_ERLANG=OFF)");
}

}  // namespace erlang
