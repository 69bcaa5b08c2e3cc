// All of Boost.JSON that is no template, compiled once: so it needs no library to link with.

#include <boost/json/src.hpp>
