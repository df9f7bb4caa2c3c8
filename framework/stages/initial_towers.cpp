#include "stages/initial_towers.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "encoders/two_towers.h"
#include "io/sha256.h"
#include "io/strings.h"
#include "tensors/state_dict.h"
#include "tensors/tensor_file.h"

namespace avbench::stages {
namespace {

// A counter that PyTorch's batch norm keeps and avbench does not use.
constexpr const char* kCounter = ".num_batches_tracked";

bool wants(const config::EncoderConfig& config, const std::string& tensor) {
  return config.init_towers == config::Modalities::kBoth ||
         tensor.starts_with(config::to_word(config.init_towers) + ".");
}

// The file's tensors under the names that the towers give theirs: "video.stem.conv.weight".
tensors::StateDict tower_tensors(const tensors::StateDict& file,
                                 const config::EncoderConfig& config) {
  const bool prefixed = std::any_of(
      file.begin(), file.end(), [](const auto& item) { return item.first.starts_with("towers."); });
  tensors::StateDict result;
  std::vector<std::string> aside;
  for (const auto& [name, tensor] : file) {
    std::string own = prefixed ? "" : config::to_word(config.init_towers) + "." + name;
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
                 io::join(aside));
  }
  return result;
}

}  // namespace

std::shared_ptr<Towers> initial_towers(const config::EncoderConfig& config, uint64_t seed,
                                       int64_t audio_channels) {
  auto towers = encoders::make_towers(config, seed, audio_channels);
  if (config.init.empty()) return towers;
  tensors::StateDict target;
  for (const auto& [name, tensor] : tensors::module_state(*towers)) {
    if (wants(config, name)) target[name] = tensor;
  }
  tensors::copy_state(tower_tensors(tensors::load_tensors(config.init), config), target,
                      config.init);
  return towers;
}

std::string init_hash(const config::EncoderConfig& config) {
  return config.init.empty() ? "" : io::sha256_file(config.init);
}

}  // namespace avbench::stages
