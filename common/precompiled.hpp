// Headers that nearly every file needs and that take seconds to compile: parsed once for the whole build.
#pragma once

#include <boost/asio.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
