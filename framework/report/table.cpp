#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "io/atomic_file.h"
#include "io/csv.h"
#include "io/error.h"
#include "report/statistics.h"

namespace avbench {
namespace fs = std::filesystem;
namespace {

std::vector<double> column(const std::vector<Json>& runs, const char* key) {
  std::vector<double> values;
  for (const Json& run : runs) values.push_back(run.at(key).get<double>());
  return values;
}

TableRow summarise(const std::vector<Json>& runs) {
  const Json& first = runs.front();
  TableRow row{.row = first.at("row"),
               .method = first.at("method"),
               .modality = first.at("modality"),
               .protocol = first.at("protocol")};
  for (const Json& run : runs) {
    if (run.at("protocol") != row.protocol) {
      throw UserError("row '" + row.row + "': seeds " + first.at("seed").dump() + " and " +
                      run.at("seed").dump() + " were run under different protocols, " +
                      row.protocol + " and " + run.at("protocol").get<std::string>());
    }
    row.seeds.push_back(run.at("seed"));
    row.peak_memory_bytes =
        std::max(row.peak_memory_bytes, run.at("peak_memory_bytes").get<int64_t>());
    if (row.collapse.empty()) row.collapse = run.at("collapse");
  }
  row.accuracy_mean = mean(column(runs, "accuracy"));
  row.accuracy_std = standard_deviation(column(runs, "accuracy"));
  row.validation = mean(column(runs, "validation"));
  row.train_accuracy = mean(column(runs, "train_accuracy"));
  row.encoder_forwards = first.at("encoder_forwards");
  row.clips_per_second = mean(column(runs, "clips_per_second"));
  row.seconds = mean(column(runs, "seconds"));
  row.chance = first.at("chance");
  row.labels_train = first.at("labels_train");
  row.labels_validation = first.at("labels_validation");
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

std::string accuracy_text(const TableRow& row) {
  if (row.seeds.size() < 2) return percent(row.accuracy_mean);
  return fmt::format("{:.1f} ± {:.1f}", 100 * row.accuracy_mean, 100 * row.accuracy_std);
}

bool has_paper(const std::vector<TableRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const TableRow& row) { return row.paper; });
}

std::string paper_text(const TableRow& row) {
  return row.paper ? fmt::format("{:.1f}", *row.paper) : "";
}

bool has_trials(const std::vector<TableRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const TableRow& row) { return row.trials > 0; });
}

std::string note(const TableRow& row) {
  return row.collapse.empty() ? "" : "collapsed: " + row.collapse;
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
  std::map<std::string, std::vector<Json>> runs;
  std::map<std::string, TableEntry> newest;
  for (const TableEntry& entry : entries) {
    if (std::find(order.begin(), order.end(), entry.row) == order.end()) order.push_back(entry.row);
    newest[entry.row] = entry;
    const fs::path summary = entry.folder / "summary.json";
    if (fs::exists(summary)) runs[entry.row].push_back(read_json(summary));
  }
  std::vector<TableRow> rows;
  for (const std::string& name : order) {
    if (const auto found = runs.find(name); found != runs.end()) {
      rows.push_back(summarise(found->second));
      rows.back().paper = newest[name].paper;
      rows.back().trials = newest[name].trials;
    }
  }
  require_one_protocol(rows);
  return rows;
}

Json table_json(const std::vector<TableRow>& rows) {
  Json table = Json::array();
  const bool with_paper = has_paper(rows), with_trials = has_trials(rows);
  for (const TableRow& row : rows) {
    table.push_back({{"row", row.row},
                     {"method", row.method},
                     {"modality", row.modality},
                     {"seeds", row.seeds},
                     {"accuracy_mean", row.accuracy_mean},
                     {"accuracy_std", row.accuracy_std},
                     {"validation", row.validation},
                     {"train_accuracy", row.train_accuracy},
                     {"encoder_forwards", row.encoder_forwards},
                     {"clips_per_second", row.clips_per_second},
                     {"peak_memory_bytes", row.peak_memory_bytes},
                     {"seconds", row.seconds},
                     {"chance", row.chance},
                     {"labels_train", row.labels_train},
                     {"labels_validation", row.labels_validation},
                     {"collapse", row.collapse},
                     {"protocol", row.protocol}});
    if (with_trials) table.back()["trials"] = row.trials;
    if (!with_paper) continue;
    table.back()["paper"] = row.paper ? Json(*row.paper) : Json();
    table.back()["measured"] = 100 * row.accuracy_mean;
  }
  return table;
}

std::string table_csv(const std::vector<TableRow>& rows) {
  const bool with_paper = has_paper(rows), with_trials = has_trials(rows);
  std::vector<std::string> header = {"row",
                                     "method",
                                     "modality",
                                     "seeds",
                                     "accuracy_mean",
                                     "accuracy_std",
                                     "validation",
                                     "train_accuracy",
                                     "encoder_forwards",
                                     "clips_per_second",
                                     "peak_memory_bytes",
                                     "seconds",
                                     "chance",
                                     "labels_train",
                                     "labels_validation",
                                     "collapse",
                                     "protocol"};
  if (with_trials) header.push_back("trials");
  if (with_paper) header.insert(header.end(), {"paper", "measured"});
  std::string text = csv_line(header);
  for (const TableRow& row : rows) {
    std::vector<std::string> line = {row.row,
                                     row.method,
                                     row.modality,
                                     fmt::format("{}", fmt::join(row.seeds, " ")),
                                     fmt::format("{}", row.accuracy_mean),
                                     fmt::format("{}", row.accuracy_std),
                                     fmt::format("{}", row.validation),
                                     fmt::format("{}", row.train_accuracy),
                                     fmt::format("{}", row.encoder_forwards),
                                     fmt::format("{}", row.clips_per_second),
                                     fmt::format("{}", row.peak_memory_bytes),
                                     fmt::format("{}", row.seconds),
                                     fmt::format("{}", row.chance),
                                     fmt::format("{}", row.labels_train),
                                     fmt::format("{}", row.labels_validation),
                                     row.collapse,
                                     row.protocol};
    if (with_trials) line.push_back(fmt::format("{}", row.trials));
    if (with_paper) {
      line.push_back(row.paper ? fmt::format("{}", *row.paper) : "");
      line.push_back(fmt::format("{}", 100 * row.accuracy_mean));
    }
    text += csv_line(line);
  }
  return text;
}

std::string table_markdown(const std::vector<TableRow>& rows, const std::string& title,
                           const std::string& description) {
  std::string text = "# " + title + "\n\n";
  if (!description.empty()) text += description + "\n\n";
  if (rows.empty()) return text + "No run has finished yet.\n";
  const bool with_paper = has_paper(rows);
  std::vector<std::vector<std::string>> cells = {
      {"Row", "Modality", with_paper ? "measured" : "Test accuracy %", "Validation %", "Training %",
       "Passes", "clips/s", "Peak MiB", "Time s", "Labels", "Seeds", "Note"}};
  for (const TableRow& row : rows) {
    cells.push_back({row.row, row.modality, accuracy_text(row), percent(row.validation),
                     percent(row.train_accuracy), fmt::format("{:.4g}", row.encoder_forwards),
                     fmt::format("{:.1f}", row.clips_per_second),
                     fmt::format("{}", row.peak_memory_bytes >> 20),
                     fmt::format("{:.0f}", row.seconds),
                     fmt::format("{} + {}", row.labels_train, row.labels_validation),
                     fmt::format("{}", row.seeds.size()), note(row)});
  }
  if (has_trials(rows)) {
    cells.front().insert(cells.front().end() - 1, "Trials");
    for (size_t i = 0; i < rows.size(); ++i) {
      cells[i + 1].insert(cells[i + 1].end() - 1,
                          rows[i].trials > 0 ? fmt::format("{}", rows[i].trials) : "");
    }
  }
  if (with_paper) {
    cells.front().insert(cells.front().begin() + 2, "paper");
    for (size_t i = 0; i < rows.size(); ++i) {
      cells[i + 1].insert(cells[i + 1].begin() + 2, paper_text(rows[i]));
    }
  }
  text += align(cells);
  if (with_paper) {
    text += "\npaper: accuracy in %, as published. measured: test accuracy in %, here.\n";
  }
  text += fmt::format(
      "\nChance is {} %. ± is the standard deviation over seeds. Validation is the checkpoint's "
      "that was tested, Training that of the last weights on the labelled samples; labels are "
      "training + validation. Passes is how often a clip or spectrogram goes through an encoder "
      "for "
      "each sample of a training step, clips/s that step's speed: of pretraining, or of finetuning "
      "for a supervised baseline.\n\nProtocol {}\n",
      percent(rows.front().chance), rows.front().protocol);
  return text;
}

std::string write_table(const fs::path& folder, const std::vector<TableRow>& rows,
                        const std::string& title, const std::string& description) {
  fs::create_directories(folder);
  std::string markdown = table_markdown(rows, title, description);
  write_file_atomically(folder / "table.json", table_json(rows).dump(1) + "\n");
  write_file_atomically(folder / "table.csv", table_csv(rows));
  write_file_atomically(folder / "table.md", markdown);
  return markdown;
}

}  // namespace avbench
