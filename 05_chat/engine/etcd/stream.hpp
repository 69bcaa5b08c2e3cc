#pragma once

#include "05_chat/base/addresses.hpp"
#include "05_chat/base/why.hpp"
#include "net/awaitable.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

/// Bytes to and from one member of etcd, as they are or through TLS. The loop's thread only.
namespace chat::etcd {

/// A connected socket, and what it speaks. It has no deadlines: whoever is tired of waiting closes the socket, and what
/// waits fails.
class Stream {
public:
    explicit Stream(net::TcpSocket socket) : socket_(std::move(socket)) {}
    virtual ~Stream() = default;

    /// What comes before the first byte. `host` is whom we mean to talk to.
    virtual net::awaitable<result<void, Why>> handshake(std::string host);
    /// At least one byte; 0 is the end.
    virtual net::awaitable<result<std::size_t, Why>> read_some(std::span<char> into);
    /// All of it.
    virtual net::awaitable<result<void, Why>> write(std::string_view bytes);

    void close();

protected:
    net::TcpSocket socket_;
};

/// --etcd-ca, --etcd-cert and --etcd-key; empty: none.
struct TlsFiles {
    std::string ca;    // who vouches for etcd; without it, those whom this computer trusts
    std::string cert;  // who we are,
    std::string key;   // and the proof of it
};

/// What https needs: OpenSSL, where the program was built with it (tls.cpp), else tls_absent.cpp says that it was not.
class Tls {
public:
    static bool is_built();
    /// The error: which file is no good, and why.
    static result<std::unique_ptr<Tls>, Why> make(const TlsFiles& files);

    virtual ~Tls() = default;
    virtual std::unique_ptr<Stream> stream(net::TcpSocket socket) = 0;
};

}  // namespace chat::etcd
