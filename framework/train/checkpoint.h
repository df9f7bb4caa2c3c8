// Checkpoints: "<name>.safetensors" and beside it "<name>.json", which holds the state of the loop
// and the checksums of both. The JSON is written last, so a checkpoint with one is whole.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "io/json_fields.h"
#include "tensors/state_dict.h"

namespace avbench::train {

struct Checkpoint {
  tensors::StateDict tensors;
  io::Json state;
  std::filesystem::path file;

  // Throws UserError naming the file and the key that is missing or of another type.
  template <class T>
  T state_as() const {
    return io::read_fields<T>(state,
                              std::filesystem::path(file).replace_extension(".json").string());
  }
};

// State of the checkpoint "best".
struct BestState {
  int64_t epoch = -1;
  double score = 0;
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<BestState> auto& b) {
  v("epoch", b.epoch);
  v("score", b.score);
}

class CheckpointFolder {
 public:
  // `keep_steps`: how many of the newest step checkpoints save_step() leaves.
  explicit CheckpointFolder(std::filesystem::path folder, int64_t keep_steps = 2);

  void save(const std::string& name, const tensors::StateDict& tensors,
            const io::Json& state) const;

  // "step-000000200": ordered by name as by step.
  void save_step(int64_t step, const tensors::StateDict& tensors, const io::Json& state) const;

  // The newest intact step checkpoint that `usable` accepts; others are passed over. What is
  // damaged is said.
  std::optional<Checkpoint> latest_step(
      const std::function<bool(const Checkpoint&)>& usable = {}) const;

  bool has(const std::string& name) const;

  // Nothing if it is missing; if it is damaged, nothing after a warning.
  std::optional<Checkpoint> find(const std::string& name) const;

  // "best", if it is of `epoch`: another one was left by a stage that was repeated and killed.
  std::optional<Checkpoint> find_best(int64_t epoch) const;

  // Throws UserError with file, got and expected if it is missing or damaged.
  Checkpoint load(const std::string& name) const;

  // Removes the step checkpoints but the `count` newest.
  void keep_steps(size_t count) const;

  // Removes what killed processes left: tensors without their JSON, temporary files. Only for the
  // one process that writes here.
  void remove_leftovers() const;

  const std::filesystem::path& path() const { return folder_; }

 private:
  std::vector<std::string> step_names() const;  // oldest first
  void remove(const std::string& name) const;
  std::filesystem::path folder_;
  size_t keep_steps_;
};

}  // namespace avbench::train
