#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/atomic_file.h"
#include "io/csv.h"
#include "report/cell_formats.h"
#include "report/columns.h"
#include "report/csv_value.h"
#include "report/runs_csv.h"
#include "report/text_table.h"

namespace avbench::report {
namespace fs = std::filesystem;
namespace {

std::string cells(const std::vector<Column>& columns, const std::vector<TableRow>& rows) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : columns) lines.front().emplace_back(column.heading);
  for (const TableRow& row : rows) {
    lines.emplace_back();
    for (const Column& column : columns) lines.back().push_back(text_cell(column, row));
  }
  return text_table(lines);
}

// What a reader needs to know about the columns that are shown.
std::string legend(const std::vector<Column>& columns, const std::vector<TableRow>& rows) {
  std::string text = fmt::format("Chance is {} %.", percent(rows.front().chance));
  if (!is_tested(rows)) text += " There are no test results in this table.";
  const auto several = [](const TableRow& row) { return row.seeds.size() > 1; };
  if (std::any_of(rows.begin(), rows.end(), several)) {
    text += " Accuracies, speeds and times are means over seeds; ± is the standard deviation.";
  }
  text += "\n\n";
  for (const Column& column : columns) {
    if (column.explain.empty()) continue;
    text += fmt::format("- {}: {}\n", column.heading, column.explain);
  }
  return text;
}

}  // namespace

io::Json table_json(const std::vector<TableRow>& rows) {
  io::Json table = io::Json::array();
  for (const TableRow& row : rows) {
    io::Json object = io::Json::object();
    for (const Column& column : file_columns(rows)) {
      object[std::string(column.key)] = column.value(row);
    }
    table.push_back(std::move(object));
  }
  return table;
}

std::string table_csv(const std::vector<TableRow>& rows) {
  const std::vector<Column> columns = file_columns(rows);
  std::vector<std::string> header;
  for (const Column& column : columns) header.emplace_back(column.key);
  std::string text = io::csv_line(header);
  for (const TableRow& row : rows) {
    std::vector<std::string> line;
    for (const Column& column : columns) line.push_back(csv_value(column.value(row)));
    text += io::csv_line(line);
  }
  return text;
}

std::string table_markdown(const std::vector<TableRow>& rows, const std::string& title,
                           const std::string& description) {
  std::string text = "# " + title + "\n\n";
  if (!description.empty()) text += description + "\n\n";
  if (rows.empty()) return text + "No run has finished yet.\n";
  const std::vector<Column> columns = text_columns(rows);
  return text + cells(columns, rows) + "\n" + legend(columns, rows) + "\nProtocol " +
         rows.front().protocol + "\n";
}

WrittenTable write_table(const fs::path& folder, const std::string& stem,
                         const std::vector<TableEntry>& entries, const std::string& title,
                         const std::string& description) {
  const std::vector<TableRow> rows = collect_rows(entries);
  fs::create_directories(folder);
  const WrittenTable table{.markdown = table_markdown(rows, title, description),
                           .json = table_json(rows).dump(1) + "\n"};
  io::write_file_atomically(folder / (stem + ".json"), table.json);
  io::write_file_atomically(folder / (stem + ".csv"), table_csv(rows));
  io::write_file_atomically(folder / (stem == "table" ? "runs.csv" : stem + "_runs.csv"),
                            runs_csv(entries));
  io::write_file_atomically(folder / (stem + ".md"), table.markdown);
  return table;
}

}  // namespace avbench::report
