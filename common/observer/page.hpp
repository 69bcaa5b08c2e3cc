#pragma once

#include <string_view>

namespace observer {

/// page.html, which is all that the browser loads. Its scripts and styles carry `@NONCE@`, to be replaced by what the
/// answer's Content-Security-Policy names.
extern const std::string_view page;

}  // namespace observer
