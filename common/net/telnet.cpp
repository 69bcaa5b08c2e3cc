#include "net/telnet.hpp"

namespace net::telnet {

namespace {

constexpr char se = '\xf0', sb = '\xfa', will = '\xfb', wont = '\xfc', do_ = '\xfd', dont = '\xfe';

}  // namespace

std::size_t Filter::run(std::span<char> bytes, std::string& answers) {
    // Nearly always there is nothing to do, and two quick searches know it. (NUL matters only after CR.)
    const std::string_view piece(bytes.data(), bytes.size());
    if (state_ == State::data && piece.find(iac) == piece.npos && piece.find('\0') == piece.npos) {
        if (!piece.empty()) after_cr_ = piece.back() == '\r';
        return piece.size();
    }
    std::size_t kept = 0;
    for (char byte : bytes) {
        switch (state_) {
            case State::data:
                if (byte == iac) {
                    state_ = State::command;
                    continue;
                }
                if (byte == '\0' && after_cr_) byte = '\n';
                break;
            case State::command:
                state_ = State::data;
                if (byte == iac) break;  // a data byte 255
                if (byte == sb) {
                    state_ = State::subnegotiation;
                    subnegotiated_ = 0;
                } else if (byte == do_ || byte == dont || byte == will || byte == wont) {
                    state_ = State::option;
                    verb_ = byte;
                }
                continue;
            case State::option:
                state_ = State::data;
                // DONT and WONT ask for what is so already: answering them could go back and forth for ever.
                if (verb_ == do_ || verb_ == will) answers += {iac, verb_ == do_ ? wont : dont, byte};
                continue;
            case State::subnegotiation:
                if (byte == iac) {
                    state_ = State::subnegotiation_command;
                } else if (++subnegotiated_ == max_subnegotiation) {
                    state_ = State::data;
                }
                continue;
            case State::subnegotiation_command:
                // Counted, too: a peer may send nothing but these.
                state_ = byte == se || ++subnegotiated_ == max_subnegotiation ? State::data : State::subnegotiation;
                continue;
        }
        after_cr_ = byte == '\r';
        bytes[kept++] = byte;
    }
    return kept;
}

std::string escaped(std::string_view data) {
    std::string doubled;
    for (const char byte : data) doubled.append(byte == iac ? 2 : 1, byte);
    return doubled;
}

}  // namespace net::telnet
