// Classification by the nearest neighbours of a feature: needs no training.
#pragma once

#include <cstdint>

#include "avbench/batch.h"

namespace avbench::stages {

inline constexpr int64_t kNeighbours = 20;
inline constexpr double kNeighbourTemperature = 0.07;

// Class of each query: the greatest sum of exp(cosine / 0.07) over its nearest rows of `bank`: 20,
// but no more than a class has rows in the mean. Section 3.4, arXiv:1805.01978. bank [N, D], labels
// [N] class ids from 0, queries [Q, D] -> [Q]; all features are finite.
Tensor knn_classify(const Tensor& bank, const Tensor& labels, const Tensor& queries);

}  // namespace avbench::stages
