// What must not change the loss: order, chance, the number of processes.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <numeric>

#include "check/property.h"
#include "check/samples.h"
#include "check/simulated_group.h"

namespace avbench::check {
namespace {

constexpr int64_t kSteps = 4;

CheckResult permutation_leaves_loss(const CheckContext& context) {
  const HarnessOptions options{.type = context.exact_type};
  MethodHarness ordered = warmed_up(context, options), permuted = warmed_up(context, options);
  const Batch batch = ordered.next_batch();
  const Loss expected = ordered.loss(batch);
  const Loss got = permuted.loss(rows_of(batch, {3, 0, 6, 1, 7, 5, 2, 4}));
  const double loss = relative_difference(got.total, expected.total);
  if (!(loss <= context.limit(1e-9, 1e-4))) {
    return within("relative difference of the loss", loss, context.limit(1e-9, 1e-4));
  }
  ordered.backward(expected);
  permuted.backward(got);
  return within("relative difference of the gradient",
                relative_difference(permuted.gradient(), ordered.gradient()),
                context.limit(1e-7, 1e-2));
}

// Two methods over the same steps.
CheckResult same_losses(MethodHarness a, MethodHarness b) {
  for (int64_t i = 0; i < kSteps; ++i) {
    const double first = a.train_step().total.item<double>();
    const double second = b.train_step().total.item<double>();
    if (first != second) {
      return failed(
          fmt::format("step {}: {:.9g} and {:.9g}, expected the same bits", i, first, second));
    }
  }
  return passed(fmt::format("{} steps, bit-equal", kSteps));
}

CheckResult same_seed_same_loss(const CheckContext& context) {
  return same_losses(MethodHarness(context.tested), MethodHarness(context.tested));
}

CheckResult random_only_from_context(const CheckContext& context) {
  return same_losses(MethodHarness(context.tested, {.outside_seed = 1}),
                     MethodHarness(context.tested, {.outside_seed = 2}));
}

// Ranks of one run, with their part of each batch.
class Processes {
 public:
  Processes(const PluginUnderTest& plugin, int size, at::ScalarType type) : group_(size) {
    for (int rank = 0; rank < size; ++rank) {
      ranks_.push_back(std::make_unique<MethodHarness>(
          plugin,
          HarnessOptions{.type = type, .freeze_towers = true, .group = &group_.rank(rank)}));
    }
  }

  // Losses of the ranks; afterwards every rank holds the averaged gradients.
  std::vector<Tensor> losses_and_gradients(const Batch& batch) {
    const int64_t share = batch.index.size(0) / static_cast<int64_t>(ranks_.size());
    std::vector<Tensor> losses(ranks_.size());
    group_.run([&](int rank) {
      std::vector<int64_t> rows(share);
      std::iota(rows.begin(), rows.end(), rank * share);
      const Loss loss = ranks_[rank]->loss(rows_of(batch, rows));
      losses[rank] = loss.total.detach();
      ranks_[rank]->backward(loss);
    });
    average_gradients();
    return losses;
  }

  void update() {
    group_.run([&](int rank) { ranks_[rank]->update(); });
  }

  Tensor gradient(size_t rank) const { return ranks_[rank]->gradient(); }

 private:
  void average_gradients() {
    for (size_t i = 0; i < ranks_[0]->trained().size(); ++i) {
      Tensor sum;
      for (const auto& rank : ranks_) {
        const Tensor grad = rank->trained()[i].grad();
        if (grad.defined()) sum = sum.defined() ? sum + grad : grad;
      }
      if (!sum.defined()) continue;
      for (const auto& rank : ranks_) {
        const Tensor& parameter = rank->trained()[i];
        parameter.mutable_grad() = (sum / static_cast<double>(ranks_.size())).clone();
      }
    }
  }

  SimulatedGroup group_;
  std::vector<std::unique_ptr<MethodHarness>> ranks_;
};

// The largest relative differences over several steps.
struct Deviation {
  double loss = 0, gradient = 0;
};

Deviation deviation_of_processes(const CheckContext& context, int size) {
  const at::ScalarType type = context.exact_type;
  MethodHarness single(context.tested, {.type = type, .freeze_towers = true});
  Processes processes(context.tested, size, type);
  Deviation worst;
  for (int64_t step = 0; step < kSteps; ++step) {
    const Batch batch = single.next_batch();
    const Loss expected = single.loss(batch);
    single.backward(expected);
    for (const Tensor& loss : processes.losses_and_gradients(batch)) {
      worst.loss = larger(worst.loss, relative_difference(loss, expected.total));
    }
    worst.gradient =
        larger(worst.gradient, relative_difference(processes.gradient(0), single.gradient()));
    single.update();
    processes.update();
  }
  return worst;
}

CheckResult processes_equal_one(const CheckContext& context) {
  double worst = 0;
  for (const int size : {2, 4}) {
    const Deviation deviation = deviation_of_processes(context, size);
    const CheckResult loss =
        within(fmt::format("{} processes: relative difference of the loss", size), deviation.loss,
               context.limit(1e-9, 1e-3));
    if (loss.status != Status::kOk) return loss;
    worst = larger(worst, deviation.gradient);
  }
  return within(
      fmt::format("2 and 4 processes, {} steps: relative difference of the gradient", kSteps),
      worst, context.limit(1e-7, 1e-2));
}

}  // namespace

std::vector<Property> invariance_properties() {
  return {
      {"permutation_leaves_loss",
       "the order of a batch's samples changes neither loss nor gradient", permutation_leaves_loss},
      {"same_seed_same_loss", "two methods created alike give the same bits", same_seed_same_loss},
      {"random_only_from_context", "other generators than the context's change nothing",
       random_only_from_context},
      {"processes_equal_one", "several processes give loss and gradient of one on the joined batch",
       processes_equal_one},
  };
}

}  // namespace avbench::check
