// Checkpoints: "<name>.safetensors" and beside it "<name>.json", which holds the state of the loop
// and the checksum of the tensors. The JSON is written last, so a checkpoint with one is whole.
#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "io/json.h"

namespace avbench {

using StateDict = std::map<std::string, at::Tensor>;

struct Checkpoint {
  StateDict tensors;
  Json state;
  std::filesystem::path file;
};

class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::filesystem::path folder);

  void save(const std::string& name, const StateDict& tensors, const Json& state) const;

  // "step-000000200": ordered by name as by step. Keeps the newest two.
  void save_step(int64_t step, const StateDict& tensors, const Json& state) const;

  // The newest intact step checkpoint; a damaged one is passed over, and said so.
  std::optional<Checkpoint> latest_step() const;

  bool has(const std::string& name) const;

  // Throws UserError with file, got and expected if it is missing or damaged.
  Checkpoint load(const std::string& name) const;

  void remove_steps() const;

  const std::filesystem::path& path() const { return folder_; }

 private:
  std::vector<std::string> step_names() const;  // oldest first
  void remove(const std::string& name) const;
  std::filesystem::path folder_;
};

// Copies `source` into the live tensors of `target`. Throws UserError listing what is missing, left
// over (unless `allow_more`) or of another shape or type; nothing is copied then.
void copy_state(const StateDict& source, const StateDict& target, const std::string& what,
                bool allow_more = false);

// Parameters and buffers of a module by name; the tensors are the live ones.
StateDict module_state(const torch::nn::Module& module);

}  // namespace avbench
