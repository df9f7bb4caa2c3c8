// Statistics over seeds.
#pragma once

#include <vector>

namespace avbench::report {

double mean(const std::vector<double>& values);

// Sample standard deviation (n - 1); 0 for fewer than two values.
double standard_deviation(const std::vector<double>& values);

}  // namespace avbench::report
