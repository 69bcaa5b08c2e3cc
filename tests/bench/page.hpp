#pragma once

#include "results.hpp"

#include <map>
#include <string>

namespace bench {

/// The share of a page's comparisons that may be could_not_tell where it is written.
inline constexpr double untold_at_most = 0.05;

/// docs/bench.md and the pictures in it.
struct Page {
    std::string markdown;
    std::map<std::string, std::string> pictures;  ///< SVG by file name; they stand in docs/bench/
    std::size_t rows = 0;                         ///< that compare
    std::size_t untold = 0;                       ///< of those, how many say could_not_tell
};

/// What the page says of these results; nothing else goes into it. Pure.
Page page_of(const Results& results);

/// Writes docs/bench.md and docs/bench/*.svg below `docs`: all of it, or nothing. Throws std::runtime_error where that
/// is not possible.
void write_page(const Page& page, const std::string& docs);

/// Writes one file whole, or not at all. Throws std::runtime_error.
void write_file(const std::string& path, const std::string& text);

}  // namespace bench
