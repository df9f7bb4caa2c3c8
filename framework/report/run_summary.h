// summary.json of a run: what the table is made from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/json_fields.h"

namespace avbench::report {

// Shares are in [0, 1].
struct RunSummary {
  std::string row, method, modality;
  int64_t seed = 0;
  std::optional<double> accuracy;  // on the test split; none before the test
  double validation = 0;           // accuracy of the chosen checkpoint
  double train_accuracy = 0;       // accuracy of the last weights on the labelled training samples
  int64_t finetune_steps = 0;
  double forward_passes = 0;      // encoder runs per sample of a training step
  double clips_per_second = 0;    // speed of pretraining, or of finetuning where there is none
  double waiting_share = 0;       // share of that time in which the step waited for data
  int64_t peak_memory_bytes = 0;  // largest of all stages
  double seconds = 0;             // pretraining + finetuning + test
  double chance = 0;
  int64_t labels_train = 0, labels_validation = 0;
  double clipped_share = 0;  // share of pretraining's steps whose gradient was clipped
  std::string collapse;      // why the pretraining counts as collapsed
  io::Json diagnostics = io::Json::object();  // metrics of the pretraining's last validation
  std::string pretrain;                       // its folder's name
  std::string run, protocol;                  // hashes
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<RunSummary> auto& s) {
  v("row", s.row);
  v("method", s.method);
  v("modality", s.modality);
  v("seed", s.seed);
  v("accuracy", s.accuracy);
  v("validation", s.validation);
  v("train_accuracy", s.train_accuracy);
  v("finetune_steps", s.finetune_steps);
  v("forward_passes", s.forward_passes);
  v("clips_per_second", s.clips_per_second);
  v("waiting_share", s.waiting_share);
  v("peak_memory_bytes", s.peak_memory_bytes);
  v("seconds", s.seconds);
  v("chance", s.chance);
  v("labels_train", s.labels_train);
  v("labels_validation", s.labels_validation);
  v("clipped_share", s.clipped_share);
  v("collapse", s.collapse);
  v("diagnostics", s.diagnostics);
  v("pretrain", s.pretrain);
  v("run", s.run);
  v("protocol", s.protocol);
}

}  // namespace avbench::report
