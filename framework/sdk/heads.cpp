#include "avbench/heads.h"

#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include "avbench/params.h"

namespace avbench {
namespace {

// torch::nn::BatchNorm1d with an error that says what to do.
class BatchNorm : public torch::nn::BatchNormImplBase<1, BatchNorm> {
 public:
  using BatchNormImplBase::BatchNormImplBase;

 protected:
  void _check_input_dim(const at::Tensor& rows) override {
    TORCH_CHECK(rows.dim() == 2, "batch norm of a head: got shape ", rows.sizes(),
                ", expected [B, D]");
    if (is_training() && rows.size(0) < 2) {
      usage_error(
          "batch norm of a head: got a batch of 1 in training, expected at least 2 samples: "
          "it divides by the batch's deviation; raise protocol.pretrain.batch_size");
    }
  }
};

}  // namespace

torch::nn::Sequential mlp(const std::vector<int64_t>& sizes, const MlpOptions& options) {
  TORCH_CHECK(sizes.size() >= 2, "mlp: got ", sizes.size(), " sizes, expected at least 2");
  torch::nn::Sequential layers;
  for (size_t i = 1; i < sizes.size(); ++i) {
    const bool last = i + 1 == sizes.size();
    const bool normed = last ? options.output_batch_norm : options.batch_norm;
    layers->push_back(torch::nn::Linear(
        torch::nn::LinearOptions(sizes[i - 1], sizes[i]).bias(options.bias && !normed)));
    if (normed) {
      layers->push_back(
          std::make_shared<BatchNorm>(torch::nn::BatchNormOptions(sizes[i]).affine(!last)));
    }
    if (!last) layers->push_back(torch::nn::ReLU());
  }
  return layers;
}

// The video's head draws its weights first: the arguments of a call have no such order.
HeadPair::HeadPair(torch::nn::Module& owner, const std::string& name,
                   const std::vector<int64_t>& sizes, const MlpOptions& options)
    : video_(owner.register_module(name + "_video", mlp(sizes, options))),
      audio_(owner.register_module(name + "_audio", mlp(sizes, options))) {}

HeadPair::HeadPair(torch::nn::Module& owner, const std::string& name, torch::nn::Sequential video,
                   torch::nn::Sequential audio)
    : video_(owner.register_module(name + "_video", std::move(video))),
      audio_(owner.register_module(name + "_audio", std::move(audio))) {}

Pair HeadPair::forward(const Pair& x) {
  const auto run = [](torch::nn::Sequential& head, const Tensor& rows) {
    return head && rows.defined() ? head->forward(rows) : rows;
  };
  return {run(video_, x.video), run(audio_, x.audio)};
}

}  // namespace avbench
