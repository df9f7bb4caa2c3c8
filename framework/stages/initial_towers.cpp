#include "stages/initial_towers.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "encoders/two_towers.h"
#include "io/sha256.h"
#include "io/strings.h"
#include "tensors/state_dict.h"
#include "tensors/tensor_file.h"

namespace avbench {
namespace {

// A counter that PyTorch's batch norm keeps and avbench does not use.
constexpr const char* kCounter = ".num_batches_tracked";

bool wants(const EncoderConfig& config, const std::string& tensor) {
  return config.init_towers == Modalities::kBoth ||
         tensor.starts_with(to_word(config.init_towers) + ".");
}

// The file's tensors under the names that the towers give theirs: "video.stem.conv.weight".
StateDict tower_tensors(const StateDict& file, const EncoderConfig& config) {
  const bool prefixed = std::any_of(
      file.begin(), file.end(), [](const auto& item) { return item.first.starts_with("towers."); });
  StateDict result;
  std::vector<std::string> aside;
  for (const auto& [name, tensor] : file) {
    std::string own = prefixed ? "" : to_word(config.init_towers) + "." + name;
    if (prefixed && name.starts_with("towers.")) own = name.substr(7);
    const bool wanted = wants(config, own);
    if (own.empty() || !wanted || own.ends_with(kCounter)) {
      aside.push_back(name);
    } else {
      result[own] = tensor;
    }
  }
  if (!aside.empty()) {
    spdlog::info("{}: ignored, since none of the chosen towers has them: {}", config.init,
                 join(aside));
  }
  return result;
}

}  // namespace

std::shared_ptr<Towers> initial_towers(const EncoderConfig& config, uint64_t seed,
                                       int64_t audio_channels) {
  auto towers = make_towers(config, seed, audio_channels);
  if (config.init.empty()) return towers;
  StateDict target;
  for (const auto& [name, tensor] : module_state(*towers)) {
    if (wants(config, name)) target[name] = tensor;
  }
  copy_state(tower_tensors(load_tensors(config.init), config), target, config.init);
  return towers;
}

std::string init_hash(const EncoderConfig& config) {
  return config.init.empty() ? "" : sha256_file(config.init);
}

}  // namespace avbench
