#pragma once

#include <string>
#include <vector>

/// Small pictures as SVG, written by hand: readable on white and on black, and as text. Pure functions.
namespace bench {

/// A server's line in a picture: a value at each place of the axis, or nothing (not a number) where it has none.
struct Series {
    std::string name;
    std::vector<double> values;
    bool is_stick = false;  ///< drawn thin and dashed: what the others are held against
};

struct LinePlot {
    std::string title;
    std::string x_title;
    std::string y_title;
    std::vector<std::string> places;  ///< along the x axis, evenly apart
    std::vector<Series> series;
};

/// The y axis is logarithmic: so the same distance is the same factor everywhere.
std::string svg(const LinePlot& plot);

struct Bar {
    std::string name;
    double value;
    std::string text;  ///< behind the bar
    bool is_stick = false;
};

struct BarPlot {
    std::string title;
    std::vector<Bar> bars;
};

/// From zero on, so that lengths compare.
std::string svg(const BarPlot& plot);

}  // namespace bench
