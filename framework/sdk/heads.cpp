#include "avbench/heads.h"

#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

namespace avbench {

torch::nn::Sequential mlp(const std::vector<int64_t>& sizes, const MlpOptions& options) {
  TORCH_CHECK(sizes.size() >= 2, "mlp: got ", sizes.size(), " sizes, expected at least 2");
  torch::nn::Sequential layers;
  for (size_t i = 1; i < sizes.size(); ++i) {
    layers->push_back(
        torch::nn::Linear(torch::nn::LinearOptions(sizes[i - 1], sizes[i]).bias(options.bias)));
    const bool last = i + 1 == sizes.size();
    if (last ? options.output_batch_norm : options.batch_norm) {
      layers->push_back(
          torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(sizes[i]).affine(!last)));
    }
    if (!last) layers->push_back(torch::nn::ReLU());
  }
  return layers;
}

}  // namespace avbench
