#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// The Telnet protocol, as far as a line server needs it: RFC 854 (commands, CR NUL), RFC 855 (options), RFC 860
/// (timing mark). Pure functions over bytes; no sockets, any thread.
namespace net::telnet {

/// Every command starts with this byte, so a data byte of this value is sent twice.
inline constexpr char iac = '\xff';

/// What a subnegotiation (IAC SB … IAC SE) may hold before we stop believing in its end and read data again:
/// a peer that never ends one must not make all its later words vanish.
inline constexpr std::size_t max_subnegotiation = 512;

/// Takes telnet's commands out of a stream of bytes that arrives in pieces cut anywhere.
class Filter {
public:
    /// Filters a piece where it stands: how many of its bytes are left, at its front. CR NUL becomes CR LF, IAC IAC the
    /// byte 255; commands vanish. Every DO and WILL is refused (WONT, DONT): the refusals are appended to `answers`, at
    /// most 3 bytes for 3 of the stream. DO TIMING-MARK is among them: telnet's ^C shows nothing more until it is
    /// answered.
    std::size_t run(std::span<char> bytes, std::string& answers);

private:
    enum class State { data, command, option, subnegotiation, subnegotiation_command };

    State state_ = State::data;
    bool after_cr_ = false;          // the last data byte was CR
    char verb_ = 0;                  // DO, DONT, WILL or WONT, while its option is awaited
    std::size_t subnegotiated_ = 0;  // bytes and commands in the subnegotiation so far
};

/// `data` with every byte 255 doubled.
std::string escaped(std::string_view data);

}  // namespace net::telnet
