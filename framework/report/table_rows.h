// The rows of an experiment's table: each sums up the runs of one row over its seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/run_summary.h"

namespace avbench::report {

// A run that belongs in the table. All entries of a row say the same of the row.
struct TableEntry {
  std::string row;
  std::optional<RunSummary> summary;  // none: not finished
  std::optional<double> paper;        // the row's published accuracy in %
  int64_t trials = 0;                 // settings that a sweep tried for the row; 0: not swept
  std::string control_of;             // the row that this one is a control of
  bool stale = false;                 // made by another build of the plugin than the one at hand
};

// Shares are in [0, 1].
struct TableRow {
  std::string row, method, modality, protocol;
  std::vector<int64_t> seeds;
  std::optional<double> accuracy_mean, accuracy_std;  // test split; none in a table of validation
  double validation = 0, validation_std = 0;          // accuracy of the chosen checkpoints
  double train_accuracy = 0;      // mean accuracy on the labelled training samples
  double forward_passes = 0;      // encoder runs per sample of a training step
  double clips_per_second = 0;    // mean; pretraining, or finetuning of a baseline
  double waiting_share = 0;       // mean share of that time spent waiting for data
  int64_t peak_memory_bytes = 0;  // largest
  double seconds = 0;             // mean of pretraining + finetuning + test
  double chance = 0;
  int64_t labels_train = 0, labels_validation = 0;
  double clipped_share = 0;  // mean share of pretraining's steps whose gradient was clipped
  std::string collapse;      // reason for the first collapsed seed; empty: none collapsed
  int64_t collapsed_seeds = 0;
  int64_t stale_seeds = 0;        // made by another build of the plugin than the one at hand
  std::string control_of;         // another row, which should be better
  bool like_its_control = false;  // another row is a control of this one, and as good
  int64_t trials = 0;             // as in TableEntry
  std::optional<double> paper;    // as in TableEntry
};

// Rows in the order of their first entry, from the entries that have a summary. Where summaries
// have no accuracy, neither do the rows: a table of validation. A row is like its control if its
// mean is not above the control's by more than sqrt(s1^2 + s2^2), the deviations over seeds. Throws
// UserError if they were made under different protocols.
std::vector<TableRow> collect_rows(const std::vector<TableEntry>& entries);

}  // namespace avbench::report
