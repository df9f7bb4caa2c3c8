// Where two runs part: settings, and the first step whose metrics differ.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"

namespace avbench::experiment {

// The first line of two metrics.jsonl that is not the same.
struct Divergence {
  std::string place;   // "step 12", "end of epoch 3"
  std::string metric;  // "loss", "parts.cor", "diagnostics.alignment"
  io::Json a, b;       // null where it is missing
};

struct StageDiff {
  std::string stage;                 // pretrain or finetune
  int64_t lines_a = 0, lines_b = 0;  // of metrics.jsonl; 0: not begun
  std::optional<Divergence> first;   // in the lines that both have
};

struct RunDiff {
  std::string protocol_a, protocol_b;  // hashes
  std::vector<std::string> protocol;   // "settings.clip.frames: 16 -> 8"
  std::vector<std::string> settings;   // what is the run's own: row, seed, method, pretraining
  std::vector<StageDiff> stages;       // those that either has
};

// Two folders <results>/<experiment>/<row>-s<seed>. Their pretrainings are looked for in
// <results>/pretrain/. Throws UserError if a folder holds no run.
RunDiff diff_runs(const std::filesystem::path& a, const std::filesystem::path& b);

io::Json diff_json(const RunDiff& diff);
std::string diff_text(const RunDiff& diff);

}  // namespace avbench::experiment
