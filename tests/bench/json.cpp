#include <boost/json/src.hpp>  // Boost.JSON, compiled here once
