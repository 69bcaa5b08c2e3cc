#include "net/telnet.hpp"

namespace net::telnet {

namespace {

constexpr char se = '\xf0', sb = '\xfa', will = '\xfb', wont = '\xfc', do_ = '\xfd', dont = '\xfe';

}  // namespace

bool Filter::is_plain(std::string_view bytes) const {
    // NUL matters only after CR, but looking for it alone is one pass of memchr.
    return state_ == State::data && bytes.find(iac) == bytes.npos && bytes.find('\0') == bytes.npos;
}

void Filter::pass(std::string_view plain) {
    if (!plain.empty()) after_cr_ = plain.back() == '\r';
}

Filter::Progress Filter::run(const char* in, std::size_t size, char* out, std::string& answers) {
    std::size_t taken = 0;
    std::size_t kept = 0;
    while (taken < size) {
        char byte = in[taken++];
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
            case State::subnegotiation_command: state_ = byte == se ? State::data : State::subnegotiation; continue;
        }
        after_cr_ = byte == '\r';
        out[kept++] = byte;
        if (byte == '\n') break;
    }
    return {taken, kept};
}

void append_escaped(std::string_view data, std::string& out) {
    for (auto at = data.find(iac); at != data.npos; at = data.find(iac)) {
        out.append(data.substr(0, at + 1)).push_back(iac);
        data.remove_prefix(at + 1);
    }
    out.append(data);
}

}  // namespace net::telnet
