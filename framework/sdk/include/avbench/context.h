// What the host tells a method about the run.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "avbench/batch.h"
#include "avbench/export.h"
#include "avbench/params.h"
#include "avbench/towers.h"

namespace avbench {

// The processes that share one global batch. This base class is the single process: identity.
class AVBENCH_EXPORT Communicator {
 public:
  virtual ~Communicator();
  virtual int rank() const { return 0; }
  virtual int size() const { return 1; }
  // Rows of all processes in order of rank, [B, ...] -> [size * B, ...]; its backward sums.
  virtual Tensor all_gather(const Tensor& rows) { return rows; }
};

// The rows of all processes in order of rank; an undefined tensor stays undefined. Heads applied to
// the result see the global batch, and so do their batch norms.
AVBENCH_EXPORT Pair gather(const Pair& rows, Communicator& group);

// random is keyed by (seed, step): draws inside a step do not depend on what came before it.
struct StepContext {
  int64_t step = 0;         // optimiser steps done before this one
  int64_t total_steps = 1;  // all steps of this stage
  double epoch = 0;         // fractional
  bool training = true;     // false: loss() must change no state
  at::Generator random;
  Communicator& group;
};

struct EpochContext {
  int64_t epoch = 0;
  int64_t total_epochs = 1;
  at::Generator random;
  Communicator& group;
};

// Visits the training split once, in order of sample index, with evaluation views.
using BatchSource = std::function<void(const std::function<void(const Batch&)>&)>;

// For MethodPlugin::create. The default generator has been seeded with head_seed before the call,
// so modules may initialise themselves as usual; the towers' weights never depend on the method.
struct MethodContext {
  std::shared_ptr<Towers> towers;
  Params params;
  int64_t train_size = 0;  // samples in the training split
  uint64_t head_seed = 0;
};

}  // namespace avbench
