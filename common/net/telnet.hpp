#pragma once

#include <cstddef>
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
    /// How far one call came.
    struct Progress {
        std::size_t taken;  ///< bytes read from the input
        std::size_t kept;   ///< bytes of data left of them
    };

    /// Whether `bytes` would come through unchanged, so that run() need not look at each of them. A quick test.
    bool is_plain(std::string_view bytes) const;

    /// Takes note of bytes that is_plain() said it about, without filtering them.
    void pass(std::string_view plain);

    /// Filters the `size` bytes at `in` to `out` (which may be the same place, or before it), up to and including the
    /// first line feed of data. CR NUL becomes CR LF, IAC IAC the byte 255; commands vanish. Every DO and WILL is
    /// refused (WONT, DONT): the refusals are appended to `answers`, at most 3 bytes for 3 taken. DO TIMING-MARK
    /// is among them: telnet's ^C shows nothing more until it is answered.
    Progress run(const char* in, std::size_t size, char* out, std::string& answers);

private:
    enum class State { data, command, option, subnegotiation, subnegotiation_command };

    State state_ = State::data;
    bool after_cr_ = false;          // the last data byte was CR
    char verb_ = 0;                  // DO, DONT, WILL or WONT, while its option is awaited
    std::size_t subnegotiated_ = 0;  // bytes in the subnegotiation so far
};

/// Appends `data` to `out` with every byte 255 doubled.
void append_escaped(std::string_view data, std::string& out);

}  // namespace net::telnet
