// What a program says that was built without etcd's engine (FIVE_ETCD=OFF).

#include "05_chat/engine/etcd/etcd.hpp"

namespace chat::etcd {

std::string default_node_name(int) {
    return "node";
}

bool lacks_tls() {
    return false;
}

result<std::unique_ptr<Engine>, Why> make_engine(const net::Executor&, const Reach&, const Limits&, std::string_view,
                                                 std::function<void(const std::string&)>) {
    return because("--engine etcd: this program was built without it (FIVE_ETCD=OFF)");
}

}  // namespace chat::etcd
