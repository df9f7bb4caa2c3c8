// DINO's heads, whose last layer holds the prototypes.
#pragma once

#include <torch/nn/cloneable.h>

#include <cmath>
#include <vector>

#include "avbench/heads.h"
#include "avbench/losses.h"

namespace avbench::dino {

// Cosines of normalised rows and normalised weights, [B, bottleneck] -> [B, prototypes]. It is
// weight normalisation with its gain fixed at 1.
class Prototypes : public torch::nn::Cloneable<Prototypes> {
 public:
  Prototypes(int64_t dim, int64_t count) : dim_(dim), count_(count) { reset(); }

  void reset() override {
    const double bound = 1 / std::sqrt(static_cast<double>(dim_));
    weight_ = register_parameter("weight", at::empty({count_, dim_}).uniform_(-bound, bound));
  }

  Tensor forward(const Tensor& rows) { return l2_normalize(rows).mm(l2_normalize(weight_).t()); }

  Tensor& weight() { return weight_; }

 private:
  int64_t dim_, count_;
  Tensor weight_;
};

// mlp(sizes), whose output is compared with `count` prototypes.
inline torch::nn::Sequential make_head(const std::vector<int64_t>& sizes, int64_t count) {
  torch::nn::Sequential head = mlp(sizes);
  head->push_back(std::make_shared<Prototypes>(sizes.back(), count));
  return head;
}

// The prototypes of such a head, [count, bottleneck].
inline Tensor& prototypes_of(const torch::nn::Sequential& head) {
  return head->children().back()->as<Prototypes>()->weight();
}

}  // namespace avbench::dino
