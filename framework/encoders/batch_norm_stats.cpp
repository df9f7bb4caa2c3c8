#include "encoders/batch_norm_stats.h"

#include <torch/utils.h>

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "encoders/layers.h"

namespace avbench::encoders {
namespace {

// Training mode with averaging batch norms; the modes of before return with the scope's end.
class AveragingScope {
 public:
  explicit AveragingScope(Towers& towers) {
    for (auto& module : towers.modules()) {
      modes_.emplace_back(module, module->is_training());
      if (auto* norm = module->as<BatchNorm>()) norm->start_average();
    }
    towers.train();
  }
  // Parents come before their children, so the last word is each module's own.
  ~AveragingScope() {
    for (auto& [module, training] : modes_) {
      module->train(training);
      if (auto* norm = module->as<BatchNorm>()) norm->stop_average();
    }
  }
  AveragingScope(const AveragingScope&) = delete;
  AveragingScope& operator=(const AveragingScope&) = delete;

 private:
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> modes_;
};

}  // namespace

void reestimate_batch_norm(Towers& towers, const BatchSource& batches) {
  const torch::NoGradGuard no_grad;
  const AveragingScope averaging(towers);
  int64_t seen = 0;
  batches([&](const Batch& batch) {
    towers.forward(batch);
    ++seen;
  });
  if (seen == 0) throw std::runtime_error("batch-norm re-estimation: got no batch");
}

}  // namespace avbench::encoders
