#include "summary.hpp"

#include <algorithm>
#include <cmath>

namespace bench {

constexpr double tie_within = 0.05;    // differences below it come and go with the day
constexpr double quiet_within = 0.10;  // between the quartiles

double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

Ratio Ratio::of(const std::vector<double>& ours, const std::vector<double>& stick) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(ours.size(), stick.size()); ++i) ratios.push_back(ours[i] / stick[i]);
    return {quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75)};
}

std::string Ratio::verdict() const {
    if (low > 1 + tie_within) return "dearer";
    if (high < 1 - tie_within) return "cheaper";
    if (std::abs(median - 1) <= tie_within && high - low <= quiet_within) return "tie";
    return "too noisy to call";
}

}  // namespace bench
