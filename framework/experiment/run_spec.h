// What is asked of an experiment, and one row with one seed before it is run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/row_config.h"
#include "experiment/fingerprint.h"

namespace avbench::experiment {

struct RunOptions {
  bool pretrain = true, finetune = true, test = true;
  std::vector<std::string> rows;  // empty: all
  std::vector<int64_t> seeds;     // empty: the experiment's
};

struct RunSpec {
  const config::RowConfig* row;
  int64_t seed;
  std::filesystem::path folder;           // results/<experiment>/<row>-s<seed>
  std::filesystem::path pretrain_folder;  // results/pretrain/<hash>; empty without pretraining
  Fingerprint pretrain;                   // without pretraining no hash
  Fingerprint fingerprint;                // of the run: all that the results depend on
  bool stale = false;    // results of an older build of the plugin are kept (run.on_rebuild)
  bool rebuilt = false;  // the folder holds results of another build, to be moved aside
  bool pretrained = false, finetuned = false, finished = false;  // already, when planned
};

}  // namespace avbench::experiment
