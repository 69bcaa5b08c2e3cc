#include "observer/files.hpp"

#include <algorithm>
#include <array>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace observer::files {

std::string contents(const std::string& path) {
    std::string all;
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return all;
    std::array<char, 65536> piece;
    for (ssize_t size = 0; (size = ::read(file, piece.data(), piece.size())) > 0;) {
        all.append(piece.data(), static_cast<std::size_t>(size));
    }
    ::close(file);
    return all;
}

void list(const std::string& folder, const std::function<void(const char*)>& each) {
    DIR* const open = ::opendir(folder.c_str());
    if (open == nullptr) return;
    while (const auto* entry = ::readdir(open)) {
        if (entry->d_name[0] != '.') each(entry->d_name);
    }
    ::closedir(open);
}

std::string of(pid_t pid, std::string_view what) {
    return "/proc/" + std::to_string(pid) + "/" + std::string(what);
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const auto begin = line.find_first_not_of(' ');
        if (begin == line.npos) break;
        line.remove_prefix(begin);
        const auto end = line.find(' ');
        words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end, line.size()));
    }
    return words;
}

void each_line_below_heading(std::string_view text, const std::function<void(std::string_view)>& each) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);  // the heading
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        each(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

}  // namespace observer::files
