#include "plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace bench {

namespace {

constexpr double width = 760, height = 380;
constexpr double left = 64, right = 200, top = 44, bottom = 52;  // around the axes; the names stand at the right
constexpr double line_height = 15;

// Neither the lightest nor the darkest of each, so that they stand out on white and on black.
constexpr std::array colours{"#3b82f6", "#e8710a", "#16a34a", "#c026d3", "#dc2626", "#0d9488", "#a16207", "#64748b"};

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

// Without needless digits: 0.5, 20, 1000.
std::string tick_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

std::string escaped(const std::string& text) {
    std::string to;
    for (const char c : text) {
        if (c == '&')
            to += "&amp;";
        else if (c == '<')
            to += "&lt;";
        else
            to += c;
    }
    return to;
}

std::string head(const std::string& title, double tall) {
    const std::string box = tick_text(width) + " " + tick_text(tall);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + box + "\" role=\"img\" aria-label=\"" +
           escaped(title) +
           "\">\n"
           "<style>\n"
           "text{font:12px sans-serif;fill:#444}.title{font-size:15px;font-weight:bold}\n"
           ".grid{stroke:#888;stroke-opacity:.3}.line{fill:none;stroke-width:2}.stick{stroke-dasharray:5 4}\n"
           "@media(prefers-color-scheme:dark){text{fill:#ccc}}\n"
           "</style>\n"
           "<text class=\"title\" x=\"12\" y=\"22\">" +
           escaped(title) + "</text>\n";
}

std::string text(double x, double y, const std::string& words, const std::string& more = "") {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\"" + more + ">" + escaped(words) + "</text>\n";
}

// From values to heights, by their logarithm.
class Scale {
public:
    explicit Scale(const std::vector<Series>& all) {
        for (const Series& series : all) {
            for (const double value : series.values) {
                if (std::isnan(value) || value <= 0) continue;
                low_ = std::min(low_, value);
                high_ = std::max(high_, value);
            }
        }
        if (low_ > high_) low_ = high_ = 1;
        low_ /= 1.15;
        high_ *= 1.15;
    }

    double y(double value) const {
        const double share = std::log(value / low_) / std::log(high_ / low_);
        return height - bottom - share * (height - top - bottom);
    }
    // 1, 2 and 5 of each power of ten.
    std::vector<double> ticks() const {
        std::vector<double> found;
        for (double power = std::pow(10, std::floor(std::log10(low_))); power <= high_; power *= 10) {
            for (const double step : {1, 2, 5}) {
                if (power * step >= low_ && power * step <= high_) found.push_back(power * step);
            }
        }
        return found;
    }

private:
    double low_ = HUGE_VAL, high_ = 0;
};

// The names beside their lines' ends, moved apart where they would overlap.
class Names {
public:
    void add(double y, const std::string& name, const char* colour) { names_.push_back({y, name, colour}); }

    std::string svg() {
        std::sort(names_.begin(), names_.end(), [](const Name& a, const Name& b) { return a.y < b.y; });
        double free = top;
        for (Name& name : names_) {
            name.y = std::max(name.y, free);
            free = name.y + line_height;
        }
        double lowest = height - bottom;
        for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
            name->y = std::min(name->y, lowest);
            lowest = name->y - line_height;
        }
        std::string to;
        for (const Name& name : names_) {
            to += text(width - right + 10, name.y + 4, name.text, std::string(" style=\"fill:") + name.colour + "\"");
        }
        return to;
    }

private:
    struct Name {
        double y;
        std::string text;
        const char* colour;
    };
    std::vector<Name> names_;
};

}  // namespace

std::string svg(const LinePlot& plot) {
    const Scale scale(plot.series);
    const double between =
        plot.places.size() > 1 ? (width - left - right) / static_cast<double>(plot.places.size() - 1) : 0;
    const auto x = [&](std::size_t place) { return left + between * static_cast<double>(place); };
    std::string to = head(plot.title, height);
    for (const double tick : scale.ticks()) {
        const std::string y = number(scale.y(tick));
        to += "<path class=\"grid\" d=\"M" + number(left) + " " + y + "H" + number(width - right) + "\"/>\n";
        to += text(left - 8, scale.y(tick) + 4, tick_text(tick), " text-anchor=\"end\"");
    }
    for (std::size_t i = 0; i < plot.places.size(); ++i) {
        to += text(x(i), height - bottom + 20, plot.places[i], " text-anchor=\"middle\"");
    }
    to += text((left + width - right) / 2, height - 10, plot.x_title, " text-anchor=\"middle\"");
    to += text(12, top - 6, plot.y_title);

    Names names;
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        const Series& series = plot.series[i];
        const char* const colour = colours[i % colours.size()];
        std::string path, dots;
        double last = 0;
        for (std::size_t place = 0; place < series.values.size(); ++place) {
            if (std::isnan(series.values[place]) || series.values[place] <= 0) continue;
            last = scale.y(series.values[place]);
            path += (path.empty() ? "M" : "L") + number(x(place)) + " " + number(last);
            dots += "<circle cx=\"" + number(x(place)) + "\" cy=\"" + number(last) + "\" r=\"3\" fill=\"" + colour +
                    "\"/>\n";
        }
        if (path.empty()) continue;
        to += std::string("<path class=\"line") + (series.is_stick ? " stick" : "") + "\" stroke=\"" + colour +
              "\" d=\"" + path + "\"/>\n" + dots;
        names.add(last, series.name, colour);
    }
    return to + names.svg() + "</svg>\n";
}

std::string svg(const BarPlot& plot) {
    constexpr double row = 26, names = 170;
    const double tall = top + row * static_cast<double>(plot.bars.size()) + 12;
    double longest = 1;
    for (const Bar& bar : plot.bars) longest = std::max(longest, bar.value);
    std::string to = head(plot.title, tall);
    double y = top;
    for (const Bar& bar : plot.bars) {
        const double length = std::max(1.0, bar.value / longest * (width - names - 120));
        to += text(names - 8, y + 15, bar.name, " text-anchor=\"end\"");
        to += "<rect x=\"" + number(names) + "\" y=\"" + number(y + 2) + "\" width=\"" + number(length) +
              "\" height=\"18\" fill=\"" + colours[bar.is_stick ? colours.size() - 1 : 0] + "\"/>\n";
        to += text(names + length + 8, y + 15, bar.text);
        y += row;
    }
    return to + "</svg>\n";
}

}  // namespace bench
