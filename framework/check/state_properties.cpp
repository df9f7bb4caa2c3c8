// Everything that a method carries from step to step.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

#include "check/property.h"
#include "tensors/tensor_file.h"

namespace avbench::check {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSteps = 3;

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "avbench-check-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no folder could be made in " + fs::temp_directory_path().string());
    }
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Empty if both go on alike to the last bit.
std::string difference_later(MethodHarness& a, MethodHarness& b) {
  for (int64_t i = 0; i < kSteps; ++i) {
    const Tensor first = a.train_step().total, second = b.train_step().total;
    if (!at::equal(first, second)) {
      return fmt::format("step {} after it: the loss is {:.9g}, expected {:.9g}", i,
                         second.item<double>(), first.item<double>());
    }
  }
  const std::string name = first_difference(a.state(), b.state());
  return name.empty() ? "" : fmt::format("{} steps after it: {} differs in value", kSteps, name);
}

// Evaluation where it could do most harm: what loss() keeps for after_step() is pending.
CheckResult evaluation_changes_no_state(const CheckContext& context) {
  MethodHarness quiet = warmed_up(context), examined = warmed_up(context);
  const Batch batch = quiet.next_batch();
  for (MethodHarness* harness : {&quiet, &examined}) harness->backward(harness->loss(batch));
  const tensors::StateDict before = copy_of(examined.state());
  examined.evaluate(examined.batch_of(examined.step() + 1));
  const std::string changed = first_difference(before, examined.state());
  if (!changed.empty()) return failed(changed + " changes");
  quiet.update();
  examined.update();
  const std::string pending = first_difference(quiet.state(), examined.state());
  if (!pending.empty()) {
    return failed(pending + " differs after the step: what after_step() uses was changed");
  }
  examined.evaluate(examined.next_batch());
  const std::string later = difference_later(quiet, examined);
  if (!later.empty()) return failed(later);
  return passed(fmt::format("{} tensors bit-equal, and {} steps after", before.size(), kSteps));
}

CheckResult checkpoint_round_trip(const CheckContext& context) {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "checkpoint.safetensors";
  MethodHarness unbroken = warmed_up(context);
  tensors::save_tensors(file, unbroken.state());
  // With other heads at first: what the checkpoint lacks cannot be right by chance.
  MethodHarness resumed(context.tested, {.head_seed = 1});
  resumed.resume(tensors::load_tensors(file), unbroken.step());
  const tensors::StateDict state = unbroken.state();
  const std::string name = first_difference(state, resumed.state());
  if (!name.empty()) return failed(name + " differs in value after loading");
  const std::string later = difference_later(unbroken, resumed);
  if (!later.empty()) return failed(later + "; is every module and all state registered?");
  return passed(fmt::format("{} tensors bit-equal, and {} steps after", state.size(), kSteps));
}

}  // namespace

std::vector<Property> state_properties() {
  return {
      {"evaluation_changes_no_state",
       "with training == false nothing changes, now or in later steps",
       evaluation_changes_no_state},
      {"checkpoint_round_trip", "a run continued from a checkpoint is bit-equal to an unbroken one",
       checkpoint_round_trip},
  };
}

}  // namespace avbench::check
