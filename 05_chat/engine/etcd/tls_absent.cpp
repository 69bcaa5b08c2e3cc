// What a program says of https that was built where OpenSSL was not found.

#include "05_chat/engine/etcd/stream.hpp"

namespace chat::etcd {

bool Tls::is_built() {
    return false;
}

result<std::unique_ptr<Tls>, Why> Tls::make(const TlsFiles&) {
    return because("this program was built without OpenSSL");
}

}  // namespace chat::etcd
