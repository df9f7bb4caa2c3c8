// What a model puts out becomes a score only if it is finite: the class of NaN is no answer.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "stages/stage_loaders.h"

namespace avbench::stages {

// "id (path)" of a sample.
std::string file_text(const data::Dataset& dataset, data::Split split, int64_t index);

class FiniteCheck {
 public:
  // `what` of `stage` is looked at: "logits". `data` outlives this.
  FiniteCheck(const StageLoaders& data, data::Split split, std::string stage, std::string what);

  // `outputs` [B, ...] of the batch's rows.
  void add(const data::LoadedBatch& batch, const Tensor& outputs);

  // Throws std::runtime_error naming the files whose outputs were not finite, and what is at fault:
  // the files, if their frames or audio were not finite either, or the weights.
  void require_all() const;

 private:
  struct File {
    std::set<int64_t> clips;
    bool finite_input = true;
  };

  const StageLoaders& data_;
  data::Split split_;
  std::string stage_, what_;
  std::map<int64_t, File> bad_;  // by index
};

}  // namespace avbench::stages
