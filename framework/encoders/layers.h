// What the three backbones are made of.
#pragma once

#include <torch/nn/module.h>

#include <array>
#include <cstdint>
#include <memory>

#include "avbench/batch.h"

namespace avbench::encoders {

using Extent = std::array<int64_t, 3>;  // time, height, width

// One step of a network. weight_ and bias_ are undefined where a layer has none of its own.
class Layer : public torch::nn::Module {
 public:
  virtual Tensor forward(const Tensor& x) = 0;

  // Uses the parameters of `owner` from now on; they stay registered with the owner alone.
  void tie_to(const Layer& owner);

 protected:
  Tensor weight_, bias_;
};

struct ConvShape {
  int64_t in, out;
  Extent kernel, stride{1, 1, 1}, padding{0, 0, 0};
  bool bias = false;
};

// 3D convolution; the weight [out, in, kT, kH, kW] lies in memory as channels_last_3d.
class Conv3d : public Layer {
 public:
  explicit Conv3d(const ConvShape& shape);
  Tensor forward(const Tensor& x) override;

 private:
  ConvShape shape_;
};

// Batch normalisation over [B, T, H, W]. Running statistics move by a tenth a batch, or, between
// start_average() and stop_average(), are the plain average over the batches seen since. A layer
// that sees none keeps what it had.
class BatchNorm : public Layer {
 public:
  explicit BatchNorm(int64_t channels);
  Tensor forward(const Tensor& x) override;

  // relu(forward(x) + residual), in one pass; the residual may be undefined.
  Tensor rectified(const Tensor& x, const Tensor& residual = {});

  void start_average();
  void stop_average() { averaging_ = false; }

 private:
  Tensor normalize(const Tensor& x, const Tensor& residual, bool rectify);
  double momentum();

  Tensor running_mean_, running_var_;
  bool averaging_ = false;
  int64_t averaged_ = 0;  // batches since start_average()
};

// A convolution and its batch norm: children "conv" and "bn".
class ConvBn : public Layer {
 public:
  ConvBn(std::shared_ptr<Layer> conv, int64_t channels);
  Tensor forward(const Tensor& x) override;
  Tensor rectified(const Tensor& x);

 private:
  std::shared_ptr<Layer> conv_;
  std::shared_ptr<BatchNorm> bn_;
};

// Makes every layer of `module` use the parameters of its counterpart in `owner`, a module of the
// same architecture. Buffers stay apart.
void tie_parameters(torch::nn::Module& module, const torch::nn::Module& owner);

}  // namespace avbench::encoders
