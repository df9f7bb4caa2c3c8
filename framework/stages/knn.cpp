#include "stages/knn.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "avbench/losses.h"

namespace avbench::stages {

Tensor knn_classify(const Tensor& bank, const Tensor& labels, const Tensor& queries) {
  for (const Tensor* features : {&bank, &queries}) {
    TORCH_CHECK(features->isfinite().all().item<bool>(), "got features that are not finite");
  }
  // More than a class has labels would make every vote a vote for the others.
  const int64_t classes = std::get<0>(at::_unique(labels)).numel();
  const int64_t neighbours = std::min(kNeighbours, std::max<int64_t>(1, bank.size(0) / classes));
  const Tensor similarity = l2_normalize(queries).mm(l2_normalize(bank).t());
  const auto [nearest, rows] = similarity.topk(neighbours, 1);
  const Tensor votes =
      at::zeros({queries.size(0), labels.max().item<int64_t>() + 1}, nearest.options());
  votes.scatter_add_(1, labels.index_select(0, rows.flatten()).view_as(rows),
                     (nearest / kNeighbourTemperature).exp());
  return votes.argmax(1);
}

}  // namespace avbench::stages
