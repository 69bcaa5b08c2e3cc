// A peer of 03: libuv as its guide uses it, an event loop in one thread. Each read gets a buffer of its own, and each
// line a write of its own. Everything else (options, first line) is as the bench needs it.
#include <CLI/CLI.hpp>

#include <netinet/in.h>
#include <uv.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

namespace {

constexpr int backlog = 1024;
constexpr std::string_view echo = "ECHO ";

struct Client {
    uv_tcp_t socket;
    uv_shutdown_t end;
    std::string begun;  // an unfinished line
};

struct Reply {
    uv_write_t request;
    std::unique_ptr<char[]> bytes;
};

bool by_lines = true;

void check(int result, const char* what) {
    if (result >= 0) return;
    std::cerr << what << ": " << uv_strerror(result) << '\n';
    std::exit(1);
}

void close_client(uv_stream_t* stream) {
    const auto handle = reinterpret_cast<uv_handle_t*>(stream);
    if (!uv_is_closing(handle))
        uv_close(handle, [](uv_handle_t* closed) { delete static_cast<Client*>(closed->data); });
}

void reply(uv_stream_t* to, std::unique_ptr<char[]> bytes, std::size_t size) {
    const auto made = new Reply{.request = {}, .bytes = std::move(bytes)};
    const uv_buf_t buffer = uv_buf_init(made->bytes.get(), static_cast<unsigned>(size));
    made->request.data = made;
    const int result = uv_write(&made->request, to, &buffer, 1,
                                [](uv_write_t* request, int) { delete static_cast<Reply*>(request->data); });
    if (result < 0) delete made;
}

void answer_lines(uv_stream_t* stream, std::string_view text) {
    std::string& begun = static_cast<Client*>(stream->data)->begun;
    for (auto feed = text.find('\n'); feed != text.npos; feed = text.find('\n')) {
        begun += text.substr(0, feed + 1);
        text.remove_prefix(feed + 1);
        const std::size_t size = echo.size() + begun.size();
        auto bytes = std::make_unique<char[]>(size);
        std::copy(begun.begin(), begun.end(), std::copy(echo.begin(), echo.end(), bytes.get()));
        reply(stream, std::move(bytes), size);
        begun.clear();
    }
    begun += text;
}

void give_buffer(uv_handle_t*, std::size_t suggested, uv_buf_t* buffer) {
    *buffer = uv_buf_init(new char[suggested], static_cast<unsigned>(suggested));
}

void receive(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer) {
    std::unique_ptr<char[]> bytes(buffer->base);
    if (got == UV_EOF) {
        // What is still to be written comes first.
        const auto ended = [](uv_shutdown_t* end, int) { close_client(end->handle); };
        if (uv_shutdown(&static_cast<Client*>(stream->data)->end, stream, ended) < 0) close_client(stream);
    } else if (got < 0) {
        close_client(stream);
    } else if (by_lines) {
        answer_lines(stream, {bytes.get(), static_cast<std::size_t>(got)});
    } else if (got > 0) {
        reply(stream, std::move(bytes), static_cast<std::size_t>(got));
    }
}

void accept(uv_stream_t* listener, int status) {
    check(status, "accept");
    const auto client = new Client{};
    uv_tcp_init(listener->loop, &client->socket);
    client->socket.data = client;
    const auto stream = reinterpret_cast<uv_stream_t*>(&client->socket);
    if (uv_accept(listener, stream) < 0) return close_client(stream);
    uv_tcp_nodelay(&client->socket, 1);
    uv_read_start(stream, give_buffer, receive);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Echo with libuv"};
    std::uint16_t port = 1234;
    std::string packet = "line";
    app.set_version_flag("--version", std::string("libuv ") + uv_version_string());
    app.add_option("--port", port);
    app.add_option("--packet", packet)->check(CLI::IsMember({"line", "raw"}));
    CLI11_PARSE(app, argc, argv);
    by_lines = packet == "line";

    uv_tcp_t listener;
    check(uv_tcp_init(uv_default_loop(), &listener), "socket");
    sockaddr_storage bound{};
    int size = sizeof bound;
    const auto address = reinterpret_cast<sockaddr*>(&bound);
    check(uv_ip4_addr("127.0.0.1", port, reinterpret_cast<sockaddr_in*>(&bound)), "address");
    check(uv_tcp_bind(&listener, address, 0), "bind");
    check(uv_listen(reinterpret_cast<uv_stream_t*>(&listener), backlog, accept), "listen");
    check(uv_tcp_getsockname(&listener, address, &size), "address");
    std::cout << "Listening on 127.0.0.1:" << ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port) << std::endl;
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
