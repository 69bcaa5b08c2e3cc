#pragma once

#include <optional>
#include <string_view>
#include <vector>

/// What can be said of figures that differ from run to run. Pure functions.
namespace bench {

/// The value that a share (0 ... 1) of `values` does not exceed, interpolated between neighbours. Not of an empty list.
double quantile(std::vector<double> values, double share);

/// Differences below it come and go with the day: a tie.
inline constexpr double tie_within = 0.05;

/// Where the median of what was measured lies, and where it would lie in 95 of 100 such runs.
struct Interval {
    double median;
    double low;
    double high;

    /// By bootstrap: the medians of a thousand draws from `values`, with the same luck in each run. Few values have no
    /// such interval; theirs goes from the least to the largest. Not of an empty list.
    static Interval of(const std::vector<double>& values);

    /// Whether it is so narrow that the median can be said: no wider than a tie.
    bool is_narrow() const;
};

/// A server's cost beside that of its stick, pair by pair: what the same round measured of both, in the same order.
Interval ratio(const std::vector<double>& ours, const std::vector<double>& stick);

/// Whether enough was measured: the interval is narrow, or it lies on one side of all that it could be confused with.
/// That is the limit, where there is one, and otherwise what a tie is.
bool is_decided(const Interval& ratio, std::optional<double> limit = {});

inline constexpr std::string_view could_not_tell = "could not tell";

/// The power of x that y grows with, by least squares over the logarithms: 0 where y does not depend on x, 1 where it
/// is in proportion. Of two or more places, all above 0.
double exponent(const std::vector<double>& x, const std::vector<double>& y);

/// The same in words: how y does where x grows.
std::string_view growth(double exponent);

/// "dearer", "cheaper" or "tie", and could_not_tell where that is not decided.
std::string_view compared(const Interval& ratio);

}  // namespace bench
