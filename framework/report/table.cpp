#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "io/atomic_file.h"
#include "io/csv.h"
#include "io/error.h"
#include "report/statistics.h"

namespace avbench {
namespace fs = std::filesystem;
namespace {

std::vector<double> column(const std::vector<RunSummary>& runs, double RunSummary::*figure) {
  std::vector<double> values;
  for (const RunSummary& run : runs) values.push_back(run.*figure);
  return values;
}

std::vector<double> accuracies(const std::vector<RunSummary>& runs) {
  std::vector<double> values;
  for (const RunSummary& run : runs) values.push_back(run.accuracy.value());
  return values;
}

TableRow summarise(const std::vector<RunSummary>& runs) {
  const RunSummary& first = runs.front();
  TableRow row{.row = first.row,
               .method = first.method,
               .modality = first.modality,
               .protocol = first.protocol};
  for (const RunSummary& run : runs) {
    if (run.protocol != row.protocol) {
      throw UserError(
          fmt::format("row '{}': seeds {} and {} were run under different protocols, "
                      "{} and {}",
                      row.row, first.seed, run.seed, row.protocol, run.protocol));
    }
    row.seeds.push_back(run.seed);
    row.peak_memory_bytes = std::max(row.peak_memory_bytes, run.peak_memory_bytes);
    row.clipped_share += run.clipped_share / static_cast<double>(runs.size());
    if (run.collapse.empty()) continue;
    if (row.collapse.empty()) row.collapse = run.collapse;
    ++row.collapsed_seeds;
  }
  if (first.accuracy) {
    row.accuracy_mean = mean(accuracies(runs));
    row.accuracy_std = standard_deviation(accuracies(runs));
  }
  row.validation = mean(column(runs, &RunSummary::validation));
  row.validation_std = standard_deviation(column(runs, &RunSummary::validation));
  row.train_accuracy = mean(column(runs, &RunSummary::train_accuracy));
  row.encoder_forwards = first.encoder_forwards;
  row.clips_per_second = mean(column(runs, &RunSummary::clips_per_second));
  row.waiting_share = mean(column(runs, &RunSummary::waiting_share));
  row.seconds = mean(column(runs, &RunSummary::seconds));
  row.chance = first.chance;
  row.labels_train = first.labels_train;
  row.labels_validation = first.labels_validation;
  return row;
}

void require_one_protocol(const std::vector<TableRow>& rows) {
  for (const TableRow& row : rows) {
    if (row.protocol == rows.front().protocol) continue;
    throw UserError(fmt::format(
        "rows of different protocols do not belong in one table: '{}' has {}, '{}' has {}. "
        "Compare the protocol.json files in their folders.",
        rows.front().row, rows.front().protocol, row.row, row.protocol));
  }
}

std::string percent(double share) { return fmt::format("{:.1f}", 100 * share); }

std::string percent(double mean, double deviation, size_t seeds) {
  if (seeds < 2) return percent(mean);
  return fmt::format("{:.1f} ± {:.1f}", 100 * mean, 100 * deviation);
}

bool of_test(const std::vector<TableRow>& rows) {
  return !rows.empty() && rows.front().accuracy_mean.has_value();
}

// A published figure stands beside one of the test.
bool has_paper(const std::vector<TableRow>& rows) {
  return of_test(rows) &&
         std::any_of(rows.begin(), rows.end(), [](const TableRow& row) { return row.paper; });
}

std::string paper_text(const TableRow& row) {
  return row.paper ? fmt::format("{:.1f}", *row.paper) : "";
}

bool has_trials(const std::vector<TableRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const TableRow& row) { return row.trials > 0; });
}

bool has_clipping(const std::vector<TableRow>& rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const TableRow& row) { return row.clipped_share > 0; });
}

std::string note(const TableRow& row) {
  std::vector<std::string> notes;
  const bool many = row.seeds.size() > 1;
  if (row.stale_seeds > 0) {
    notes.push_back((many ? fmt::format("{} of {} ", row.stale_seeds, row.seeds.size()) : "") +
                    "stale: made by another build of the plugin");
  }
  if (!row.collapse.empty()) {
    notes.push_back((many ? fmt::format("{} of {} ", row.collapsed_seeds, row.seeds.size()) : "") +
                    "collapsed: " + row.collapse);
  }
  if (row.like_its_control) notes.emplace_back("not cross-modal: no better than its control");
  if (!row.control_of.empty()) notes.push_back("control of " + row.control_of);
  return fmt::format("{}", fmt::join(notes, "; "));
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

// What the training step could do if data cost it nothing.
double without_waiting(const TableRow& row) {
  return row.waiting_share < 1 ? row.clips_per_second / (1 - row.waiting_share) : 0;
}

// Of one row, in the order of the columns.
using Fields = std::vector<std::pair<std::string, Json>>;

Fields fields_of(const TableRow& row, bool with_trials, bool with_paper) {
  Fields fields = {
      {"row", row.row}, {"method", row.method}, {"modality", row.modality}, {"seeds", row.seeds}};
  if (row.accuracy_mean) {
    fields.insert(fields.end(),
                  {{"accuracy_mean", *row.accuracy_mean}, {"accuracy_std", *row.accuracy_std}});
  }
  fields.insert(fields.end(), {{"validation", row.validation},
                               {"validation_std", row.validation_std},
                               {"train_accuracy", row.train_accuracy},
                               {"encoder_forwards", row.encoder_forwards},
                               {"clips_per_second", row.clips_per_second},
                               {"waiting_share", row.waiting_share},
                               {"clips_per_second_without_waiting", without_waiting(row)},
                               {"peak_memory_bytes", row.peak_memory_bytes},
                               {"seconds", row.seconds},
                               {"chance", row.chance},
                               {"labels_train", row.labels_train},
                               {"labels_validation", row.labels_validation},
                               {"clipped_share", row.clipped_share},
                               {"collapse", row.collapse},
                               {"collapsed_seeds", row.collapsed_seeds},
                               {"stale_seeds", row.stale_seeds},
                               {"control_of", row.control_of},
                               {"like_its_control", row.like_its_control},
                               {"protocol", row.protocol}});
  if (with_trials) fields.emplace_back("trials", row.trials);
  if (with_paper) {
    fields.emplace_back("paper", row.paper ? Json(*row.paper) : Json());
    fields.emplace_back("measured", 100 * *row.accuracy_mean);
  }
  return fields;
}

std::vector<Fields> all_fields(const std::vector<TableRow>& rows) {
  const bool with_paper = has_paper(rows), with_trials = has_trials(rows);
  std::vector<Fields> all;
  for (const TableRow& row : rows) all.push_back(fields_of(row, with_trials, with_paper));
  return all;
}

std::string csv_text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return value.dump();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_integer()) return fmt::format("{}", value.get<int64_t>());
  return fmt::format("{}", value.get<double>());
}

// Columns padded so that the table reads well as plain text too. Counts code points, not bytes.
size_t width(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

std::string align(const std::vector<std::vector<std::string>>& cells) {
  std::vector<size_t> widths(cells.front().size(), 3);
  for (const auto& line : cells) {
    for (size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], width(line[c]));
  }
  // Names in the first column and words in the last; figures between.
  const auto left = [&](size_t c) { return c == 0 || c + 1 == widths.size(); };
  const auto padded = [&](const std::string& text, size_t c) {
    const std::string space(widths[c] - width(text), ' ');
    return left(c) ? text + space : space + text;
  };
  std::string text;
  for (size_t r = 0; r < cells.size(); ++r) {
    for (size_t c = 0; c < widths.size(); ++c) text += "| " + padded(cells[r][c], c) + " ";
    text += "|\n";
    if (r > 0) continue;
    for (size_t c = 0; c < widths.size(); ++c) {
      text += left(c) ? "|" + std::string(widths[c] + 2, '-')
                      : "|" + std::string(widths[c] + 1, '-') + ":";
    }
    text += "|\n";
  }
  return text;
}

}  // namespace

std::vector<TableRow> collect_table(const std::vector<TableEntry>& entries) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<RunSummary>> runs;
  std::map<std::string, TableEntry> newest;
  std::map<std::string, int64_t> stale;
  for (const TableEntry& entry : entries) {
    if (std::find(order.begin(), order.end(), entry.row) == order.end()) order.push_back(entry.row);
    newest[entry.row] = entry;
    if (!entry.summary) continue;
    runs[entry.row].push_back(*entry.summary);
    if (entry.stale) ++stale[entry.row];
  }
  std::vector<TableRow> rows;
  for (const std::string& name : order) {
    if (const auto found = runs.find(name); found != runs.end()) {
      rows.push_back(summarise(found->second));
      rows.back().paper = newest[name].paper;
      rows.back().trials = newest[name].trials;
      rows.back().control_of = newest[name].control_of;
      rows.back().stale_seeds = stale[name];
    }
  }
  require_one_protocol(rows);
  compare_with_controls(rows);
  return rows;
}

Json table_json(const std::vector<TableRow>& rows) {
  Json table = Json::array();
  for (const Fields& fields : all_fields(rows)) {
    Json object = Json::object();
    for (const auto& [key, value] : fields) object[key] = value;
    table.push_back(std::move(object));
  }
  return table;
}

std::string table_csv(const std::vector<TableRow>& rows) {
  std::vector<Fields> lines = all_fields(rows);
  const Fields first = lines.empty() ? fields_of({}, false, false) : lines.front();
  std::vector<std::string> header;
  for (const auto& field : first) header.push_back(field.first);
  std::string text = csv_line(header);
  for (const Fields& fields : lines) {
    std::vector<std::string> line;
    for (const auto& field : fields) line.push_back(csv_text(field.second));
    text += csv_line(line);
  }
  return text;
}

std::string runs_csv(const std::vector<TableEntry>& entries) {
  std::string text =
      csv_line({"row", "method", "modality", "seed", "accuracy", "validation", "train_accuracy",
                "clips_per_second", "waiting_share", "peak_memory_bytes", "seconds",
                "clipped_share", "collapse", "control_of", "stale", "protocol"});
  for (const TableEntry& entry : entries) {
    if (!entry.summary) continue;
    const RunSummary& run = *entry.summary;
    const auto number = [](double value) { return fmt::format("{}", value); };
    text += csv_line({run.row, run.method, run.modality, std::to_string(run.seed),
                      run.accuracy ? number(*run.accuracy) : "", number(run.validation),
                      number(run.train_accuracy), number(run.clips_per_second),
                      number(run.waiting_share), std::to_string(run.peak_memory_bytes),
                      number(run.seconds), number(run.clipped_share), run.collapse,
                      entry.control_of, entry.stale ? "true" : "false", run.protocol});
  }
  return text;
}

std::string table_markdown(const std::vector<TableRow>& rows, const std::string& title,
                           const std::string& description) {
  std::string text = "# " + title + "\n\n";
  if (!description.empty()) text += description + "\n\n";
  if (rows.empty()) return text + "No run has finished yet.\n";
  const bool with_paper = has_paper(rows), tested = of_test(rows);
  std::vector<std::vector<std::string>> cells = {{"Row", "Modality"}};
  if (with_paper) cells.front().push_back("paper");
  if (tested) cells.front().push_back(with_paper ? "measured" : "Test accuracy %");
  for (const char* name : {"Validation %", "Training %", "Passes", "clips/s", "Waits %", "Peak MiB",
                           "Time s", "Labels", "Seeds"}) {
    cells.front().push_back(name);
  }
  if (has_clipping(rows)) cells.front().push_back("Clipped %");
  if (has_trials(rows)) cells.front().push_back("Trials");
  cells.front().push_back("Note");
  for (const TableRow& row : rows) {
    std::vector<std::string> line = {row.row, row.modality};
    if (with_paper) line.push_back(paper_text(row));
    if (tested) line.push_back(percent(*row.accuracy_mean, *row.accuracy_std, row.seeds.size()));
    // Where the test stands beside it, the mean alone.
    line.push_back(percent(row.validation, row.validation_std, tested ? 1 : row.seeds.size()));
    line.push_back(percent(row.train_accuracy));
    line.push_back(fmt::format("{:.4g}", row.encoder_forwards));
    line.push_back(fmt::format("{:.1f}", row.clips_per_second));
    line.push_back(percent(row.waiting_share));
    line.push_back(fmt::format("{}", row.peak_memory_bytes >> 20));
    line.push_back(fmt::format("{:.0f}", row.seconds));
    line.push_back(fmt::format("{} + {}", row.labels_train, row.labels_validation));
    line.push_back(fmt::format("{}", row.seeds.size()));
    if (has_clipping(rows)) line.push_back(percent(row.clipped_share));
    if (has_trials(rows)) line.push_back(row.trials > 0 ? fmt::format("{}", row.trials) : "");
    line.push_back(note(row));
    cells.push_back(std::move(line));
  }
  text += align(cells);
  if (with_paper) {
    text += "\npaper: accuracy in %, as published. measured: test accuracy in %, here.\n";
  }
  const bool many_seeds =
      std::any_of(rows.begin(), rows.end(), [](const TableRow& r) { return r.seeds.size() > 1; });
  text += fmt::format(
      "\nChance is {} %.{} Validation is the chosen "
      "checkpoint's{}; Training that of the last weights on the labelled samples; labels are "
      "training + validation. Passes is how often a clip or spectrogram goes through an encoder "
      "for each sample of a training step, clips/s that step's speed, of which it waits for data "
      "Waits %: of pretraining, or of finetuning for a supervised baseline.{}\n\nProtocol {}\n",
      percent(rows.front().chance), many_seeds ? " ± is the standard deviation over seeds." : "",
      tested ? ", which was tested" : " (this table has no test)",
      has_clipping(rows)
          ? " Clipped is the share of pretraining's steps whose gradient was clipped."
          : "",
      rows.front().protocol);
  return text;
}

std::string write_table(const fs::path& folder, const std::string& stem,
                        const std::vector<TableEntry>& entries, const std::string& title,
                        const std::string& description) {
  const std::vector<TableRow> rows = collect_table(entries);
  fs::create_directories(folder);
  std::string markdown = table_markdown(rows, title, description);
  write_file_atomically(folder / (stem + ".json"), table_json(rows).dump(1) + "\n");
  write_file_atomically(folder / (stem + ".csv"), table_csv(rows));
  write_file_atomically(folder / (stem == "table" ? "runs.csv" : stem + "_runs.csv"),
                        runs_csv(entries));
  write_file_atomically(folder / (stem + ".md"), markdown);
  return markdown;
}

}  // namespace avbench
