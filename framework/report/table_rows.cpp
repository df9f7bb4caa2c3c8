#include "report/table_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "report/statistics.h"

namespace avbench::report {
namespace {

// The finished runs of one row.
using Runs = std::vector<TableEntry>;

std::vector<Runs> by_row(const std::vector<TableEntry>& entries) {
  std::vector<std::string> names;  // also of rows of which nothing has finished
  std::vector<Runs> rows;
  for (const TableEntry& entry : entries) {
    const auto name = std::find(names.begin(), names.end(), entry.row);
    const auto index = static_cast<size_t>(name - names.begin());
    if (name == names.end()) {
      names.push_back(entry.row);
      rows.emplace_back();
    }
    if (entry.summary) rows[index].push_back(entry);
  }
  std::erase_if(rows, [](const Runs& runs) { return runs.empty(); });
  return rows;
}

std::vector<double> values(const Runs& runs, double RunSummary::*metric) {
  std::vector<double> all;
  for (const TableEntry& run : runs) all.push_back((*run.summary).*metric);
  return all;
}

std::vector<double> accuracies(const Runs& runs) {
  std::vector<double> all;
  for (const TableEntry& run : runs) all.push_back(run.summary->accuracy.value());
  return all;
}

void require_one_protocol(const Runs& runs) {
  const RunSummary& first = *runs.front().summary;
  for (const TableEntry& run : runs) {
    if (run.summary->protocol == first.protocol) continue;
    throw io::UserError(fmt::format(
        "row '{}': seeds {} and {} were run under different protocols, {} and {}", first.row,
        first.seed, run.summary->seed, first.protocol, run.summary->protocol));
  }
}

void require_one_protocol(const std::vector<TableRow>& rows) {
  for (const TableRow& row : rows) {
    if (row.protocol == rows.front().protocol) continue;
    throw io::UserError(fmt::format(
        "rows of different protocols do not belong in one table: '{}' has {}, '{}' has {}. "
        "Compare the protocol.json files in their folders.",
        rows.front().row, rows.front().protocol, row.row, row.protocol));
  }
}

void add_seed(TableRow& row, const TableEntry& run) {
  const RunSummary& summary = *run.summary;
  row.seeds.push_back(summary.seed);
  row.peak_memory_bytes = std::max(row.peak_memory_bytes, summary.peak_memory_bytes);
  if (run.stale) ++row.stale_seeds;
  if (summary.collapse.empty()) return;
  if (row.collapse.empty()) row.collapse = summary.collapse;
  ++row.collapsed_seeds;
}

TableRow summarise(const Runs& runs) {
  require_one_protocol(runs);
  const auto mean_of = [&](double RunSummary::*metric) { return mean(values(runs, metric)); };
  const RunSummary& first = *runs.front().summary;
  TableRow row{.row = first.row,
               .method = first.method,
               .modality = first.modality,
               .protocol = first.protocol,
               .validation = mean_of(&RunSummary::validation),
               .validation_std = standard_deviation(values(runs, &RunSummary::validation)),
               .train_accuracy = mean_of(&RunSummary::train_accuracy),
               .forward_passes = first.forward_passes,
               .clips_per_second = mean_of(&RunSummary::clips_per_second),
               .waiting_share = mean_of(&RunSummary::waiting_share),
               .seconds = mean_of(&RunSummary::seconds),
               .chance = first.chance,
               .labels_train = first.labels_train,
               .labels_validation = first.labels_validation,
               .clipped_share = mean_of(&RunSummary::clipped_share),
               .control_of = runs.front().control_of,
               .trials = runs.front().trials,
               .paper = runs.front().paper};
  if (first.accuracy) {
    row.accuracy_mean = mean(accuracies(runs));
    row.accuracy_std = standard_deviation(accuracies(runs));
  }
  for (const TableEntry& run : runs) add_seed(row, run);
  return row;
}

struct Score {
  double mean, deviation;
};

Score score(const TableRow& row) {
  if (row.accuracy_mean) return {*row.accuracy_mean, *row.accuracy_std};
  return {row.validation, row.validation_std};
}

void compare_with_controls(std::vector<TableRow>& rows) {
  for (const TableRow& control : rows) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const TableRow& other) {
      return other.row == control.control_of;
    });
    if (row == rows.end()) continue;
    const Score with = score(*row), without = score(control);
    row->like_its_control =
        with.mean - without.mean <= std::hypot(with.deviation, without.deviation);
  }
}

}  // namespace

std::vector<TableRow> collect_rows(const std::vector<TableEntry>& entries) {
  std::vector<TableRow> rows;
  for (const Runs& runs : by_row(entries)) rows.push_back(summarise(runs));
  require_one_protocol(rows);
  compare_with_controls(rows);
  return rows;
}

}  // namespace avbench::report
