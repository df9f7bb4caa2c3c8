// Runs of which the tests make a table.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/table_rows.h"

namespace avbench::report {

class Table : public testing::Test {
 protected:
  void add(const std::string& row, int seed, double accuracy, const std::string& protocol = "p",
           const std::string& collapse = "") {
    summaries_[{row, seed}] = {.row = row,
                               .method = "simclr",
                               .modality = "both",
                               .seed = seed,
                               .accuracy = accuracy,
                               .validation = 0.5,
                               .train_accuracy = 1.0,
                               .finetune_steps = 7,
                               .forward_passes = 2,
                               .clips_per_second = 10.0 * (seed + 1),
                               .waiting_share = 0.2,
                               .peak_memory_bytes = (seed + 1) << 20,
                               .seconds = 3.0,
                               .chance = 0.125,
                               .labels_train = 40,
                               .labels_validation = 80,
                               .collapse = collapse,
                               .pretrain = "0b5e",
                               .run = "9a1d",
                               .protocol = protocol};
  }

  std::optional<RunSummary> summary(const std::string& row, int seed) const {
    const auto found = summaries_.find({row, seed});
    if (found == summaries_.end()) return std::nullopt;
    return found->second;
  }

  // Two seeds of each row.
  std::vector<TableEntry> entries_of(const std::vector<std::string>& rows) const {
    std::vector<TableEntry> entries;
    for (const int seed : {0, 1}) {
      for (const std::string& row : rows) {
        entries.push_back({.row = row, .summary = summary(row, seed)});
      }
    }
    return entries;
  }

  std::vector<TableRow> collect(const std::vector<std::string>& rows) const {
    return collect_rows(entries_of(rows));
  }

  std::map<std::pair<std::string, int>, RunSummary> summaries_;
};

}  // namespace avbench::report
