#include "05_chat/engine/etcd/stream.hpp"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/impl/src.hpp>  // as net/asio.cpp: compiled here, once

namespace chat::etcd {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

namespace {

/// OpenSSL's words without the name of its library: "wrong version number (SSL routines)".
std::string reason(const boost::system::error_code& error) {
    const std::string words = net::reason(error);
    return words.substr(0, words.find(" (SSL routines"));
}

/// The socket is TLS's here; Stream's own is only kept to be closed.
class TlsStream : public Stream {
public:
    TlsStream(net::TcpSocket socket, ssl::context& context) : Stream(std::move(socket)), tls_(socket_, context) {}

    net::awaitable<result<void, Why>> handshake(std::string host) override {
        boost::system::error_code error;
        asio::ip::make_address(host, error);
        // Members behind one address are told apart by their name; a number is no name.
        if (error) SSL_set_tlsext_host_name(tls_.native_handle(), host.c_str());
        tls_.set_verify_mode(ssl::verify_peer);
        tls_.set_verify_callback(ssl::host_name_verification(host));
        const auto [failed] = co_await tls_.async_handshake(ssl::stream_base::client, net::outcome);
        if (!failed) co_return result<void, Why>();
        const long verdict = SSL_get_verify_result(tls_.native_handle());
        if (verdict != X509_V_OK) {
            co_return because("its certificate is not to be trusted: " +
                              std::string(X509_verify_cert_error_string(verdict)));
        }
        co_return because("it does not speak TLS with us: " + reason(failed));
    }
    net::awaitable<result<std::size_t, Why>> read_some(std::span<char> into) override {
        const auto [error, size] = co_await tls_.async_read_some(asio::buffer(into.data(), into.size()), net::outcome);
        // Whoever ends the connection without TLS's own goodbye may have cut an answer short: the reader sees that.
        if (error && error != asio::error::eof && error != ssl::error::stream_truncated) {
            co_return because(reason(error));
        }
        co_return size;
    }
    net::awaitable<result<void, Why>> write(std::string_view bytes) override {
        const auto [error, size] = co_await asio::async_write(tls_, asio::buffer(bytes), net::outcome);
        if (error) co_return because(reason(error));
        co_return result<void, Why>();
    }

private:
    ssl::stream<net::TcpSocket&> tls_;
};

class OpenSsl : public Tls {
public:
    explicit OpenSsl(const TlsFiles& files) : context_(ssl::context::tls_client) {
        SSL_CTX_set_min_proto_version(context_.native_handle(), TLS1_2_VERSION);
        use("--etcd-ca: " + files.ca, [&](auto& error) {
            if (files.ca.empty())
                context_.set_default_verify_paths(error);
            else
                context_.load_verify_file(files.ca, error);
        });
        if (files.cert.empty()) return;
        use("--etcd-cert: " + files.cert, [&](auto& error) { context_.use_certificate_chain_file(files.cert, error); });
        use("--etcd-key: " + files.key,
            [&](auto& error) { context_.use_private_key_file(files.key, ssl::context::pem, error); });
    }
    std::unique_ptr<Stream> stream(net::TcpSocket socket) override {
        return std::make_unique<TlsStream>(std::move(socket), context_);
    }

    /// The first file that is no good.
    std::string why_not;

private:
    template <class Call>
    void use(const std::string& what, const Call& call) {
        boost::system::error_code error;
        call(error);
        if (error && why_not.empty()) why_not = what + ": " + reason(error);
    }

    ssl::context context_;
};

}  // namespace

bool Tls::is_built() {
    return true;
}

result<std::unique_ptr<Tls>, Why> Tls::make(const TlsFiles& files) {
    auto tls = std::make_unique<OpenSsl>(files);
    if (!tls->why_not.empty()) return because(tls->why_not);
    return std::unique_ptr<Tls>(std::move(tls));
}

}  // namespace chat::etcd
