// The one place where Boost.JSON is compiled (it is used as headers only).
#include <boost/json/src.hpp>
