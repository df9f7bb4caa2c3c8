// The two encoders as a method sees them; the host owns and builds them.
#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <string>

#include "avbench/batch.h"
#include "avbench/export.h"

namespace avbench {

class AVBENCH_EXPORT Towers : public torch::nn::Module {
 public:
  ~Towers() override;

  // Runs each modality that the batch holds under `view` through its tower. The one call through
  // which encoders run, so that timers and autocast have one place. Throws c10::Error if the batch
  // has no such view in either modality.
  virtual Features forward(const Batch& batch, const std::string& view = kBaseView) = 0;

  // D of Features::pooled (512 at width 64).
  virtual int64_t feature_dim() const = 0;

  // Channels of a tap. Throws UserError with the known taps if there is none of that name.
  virtual int64_t tap_channels(const std::string& tap) const = 0;

  // A copy with its own parameters and buffers, not requiring gradients: a momentum encoder.
  virtual std::shared_ptr<Towers> momentum_copy() const = 0;
};

}  // namespace avbench
