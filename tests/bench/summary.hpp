#pragma once

#include <string>
#include <vector>

/// What can be said of figures that differ from run to run. Pure functions.
namespace bench {

/// The value that a share (0 ... 1) of `values` does not exceed, interpolated between neighbours. Not of an empty list.
double quantile(std::vector<double> values, double share);

/// A server's cost beside that of its stick, round by round.
struct Ratio {
    double median;
    double low;   ///< first quartile
    double high;  ///< third quartile

    /// `ours` and `stick`: what each round measured, in the same order; at least one round.
    static Ratio of(const std::vector<double>& ours, const std::vector<double>& stick);

    /// "dearer" or "cheaper" where even the nearer quartile is more than 5 % off; "tie" where the median is within 5 %
    /// and the quartiles within 10 % of each other; "too noisy to call" otherwise.
    std::string verdict() const;
};

}  // namespace bench
