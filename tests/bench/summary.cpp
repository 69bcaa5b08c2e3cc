#include "summary.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace bench {

constexpr std::size_t few = 5;     // values of which no draw says more than they do
constexpr int draws = 1000;        // of the bootstrap
constexpr double outside = 0.025;  // the share of draws on each side of the interval

double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

Interval Interval::of(const std::vector<double>& values) {
    const double median = quantile(values, 0.5);
    if (values.size() <= few) return {median, quantile(values, 0), quantile(values, 1)};
    std::mt19937 luck;  // its own seed is always the same: the same figures give the same page
    std::vector<double> drawn(values.size());
    std::vector<double> medians;
    for (int i = 0; i < draws; ++i) {
        for (double& each : drawn) each = values[luck() % values.size()];
        medians.push_back(quantile(drawn, 0.5));
    }
    return {median, quantile(medians, outside), quantile(medians, 1 - outside)};
}

bool Interval::is_narrow() const {
    return high - low <= tie_within * std::abs(median);
}

Interval ratio(const std::vector<double>& ours, const std::vector<double>& stick) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(ours.size(), stick.size()); ++i) ratios.push_back(ours[i] / stick[i]);
    return Interval::of(ratios);
}

bool is_decided(const Interval& ratio, std::optional<double> limit) {
    if (ratio.is_narrow()) return true;
    if (limit) return ratio.high <= *limit || *limit <= ratio.low;
    return compared(ratio) != could_not_tell;
}

double exponent(const std::vector<double>& x, const std::vector<double>& y) {
    const auto count = static_cast<double>(x.size());
    double of_x = 0, of_y = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        of_x += std::log(x[i]) / count;
        of_y += std::log(y[i]) / count;
    }
    double together = 0, alone = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        together += (std::log(x[i]) - of_x) * (std::log(y[i]) - of_y);
        alone += (std::log(x[i]) - of_x) * (std::log(x[i]) - of_x);
    }
    return together / alone;
}

std::string_view growth(double exponent) {
    constexpr double about = 0.1;
    if (exponent < -about) return "falls";
    if (exponent <= about) return "hardly changes";
    if (exponent < 1 - about) return "grows, but more slowly";
    if (exponent <= 1 + about) return "grows in proportion";
    return "grows faster";
}

std::string_view compared(const Interval& ratio) {
    if (ratio.low > 1 + tie_within) return "dearer";
    if (ratio.high < 1 - tie_within) return "cheaper";
    if (ratio.low >= 1 - tie_within && ratio.high <= 1 + tie_within) return "tie";
    // Over the edge of what is a tie, and narrow: its middle says where it belongs.
    if (!ratio.is_narrow()) return could_not_tell;
    if (std::abs(ratio.median - 1) <= tie_within) return "tie";
    return ratio.median > 1 ? "dearer" : "cheaper";
}

}  // namespace bench
