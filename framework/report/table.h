// The table of an experiment, from the summaries of its runs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "report/run_summary.h"

namespace avbench {

// One row of the table: the runs of one row name over its seeds. Shares are in [0, 1].
struct TableRow {
  std::string row, method, modality, protocol;
  std::vector<int64_t> seeds;
  std::optional<double> accuracy_mean, accuracy_std;  // test set; none in a table of validation
  double validation = 0, validation_std = 0;          // of the chosen checkpoints
  double train_accuracy = 0;                          // mean on the labelled training samples
  double encoder_forwards = 0;                        // passes per sample of a training step
  double clips_per_second = 0;    // mean; pretraining, or finetuning of a baseline
  double waiting_share = 0;       // mean, of that time: waiting for data
  int64_t peak_memory_bytes = 0;  // largest
  double seconds = 0;             // mean of pretraining + finetuning + test
  double chance = 0;
  int64_t labels_train = 0, labels_validation = 0;
  int64_t trials = 0;    // settings that a sweep tried; 0: none was made
  std::string collapse;  // why the first did, if any seed's pretraining collapsed
  int64_t collapsed_seeds = 0;
  std::optional<double> paper;    // published accuracy in %
  double clipped_share = 0;       // mean, of pretraining's steps whose gradient was clipped
  int64_t stale_seeds = 0;        // made by another build of the plugin than the one at hand
  std::string control_of;         // another row, which should be better
  bool like_its_control = false;  // another row is a control of this one, and as good
};

// One run that the table should have: its row's name, its summary (none: not finished), the row's
// published accuracy, how many settings a sweep tried, the row that it is a control of, and whether
// it was made by another build of the plugin.
struct TableEntry {
  std::string row;
  std::optional<RunSummary> summary;
  std::optional<double> paper;
  int64_t trials = 0;
  std::string control_of;
  bool stale = false;
};

// Rows in the order of their first entry, from the entries that have a summary. Where summaries
// have no accuracy, neither do the rows: a table of validation. A row is like its control if its
// mean is not above the control's by more than sqrt(s1^2 + s2^2), the deviations over seeds. Throws
// UserError if they were made under different protocols.
std::vector<TableRow> collect_table(const std::vector<TableEntry>& entries);

// If any row has a published accuracy, all get `paper` and, in the same unit, `measured`; if any
// was swept, all get `trials`.
Json table_json(const std::vector<TableRow>& rows);
std::string table_csv(const std::vector<TableRow>& rows);
std::string table_markdown(const std::vector<TableRow>& rows, const std::string& title,
                           const std::string& description);

// A line for each row and seed that has a summary, for statistics elsewhere.
std::string runs_csv(const std::vector<TableEntry>& entries);

// <stem>.json, <stem>.csv, <stem>.md and <stem>_runs.csv (of "table": runs.csv) in `folder`;
// returns the Markdown.
std::string write_table(const std::filesystem::path& folder, const std::string& stem,
                        const std::vector<TableEntry>& entries, const std::string& title,
                        const std::string& description);

}  // namespace avbench
