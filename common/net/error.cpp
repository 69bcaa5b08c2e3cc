#include "net/error.hpp"

namespace net {

namespace {

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "net"; }
    std::string message(int value) const override {
        switch (static_cast<Error>(value)) {
            case Error::closed: return "closed";
            case Error::incomplete: return "no whole packet yet";
            case Error::too_long: return "packet too long";
            case Error::cut_short: return "closed in the middle of a packet";
            case Error::stopped: return "stopped";
        }
        return "unknown";
    }
};

}  // namespace

boost::system::error_code make_error_code(Error error) {
    static const Category category;
    return {static_cast<int>(error), category};
}

std::string reason(const boost::system::error_code& error) {
    std::string words = error.message();
    const auto is_between = [](char c, char low, char high) { return c >= low && c <= high; };
    // Names in capitals ("EOF") stay as they are.
    if (words.size() > 1 && is_between(words[0], 'A', 'Z') && is_between(words[1], 'a', 'z')) words[0] += 'a' - 'A';
    return words;
}

bool is_shortage(const boost::system::error_code& error) {
    namespace errc = boost::system::errc;
    return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
           error == errc::no_buffer_space || error == errc::not_enough_memory || error == errc::no_space_on_device;
}

}  // namespace net
