// The table of an experiment, from the summaries of its runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/json.h"
#include "report/table_rows.h"

namespace avbench::report {

// All three show the columns that columns.h lists, as far as the rows have them.
io::Json table_json(const std::vector<TableRow>& rows);
std::string table_csv(const std::vector<TableRow>& rows);
// With a legend of its columns below.
std::string table_markdown(const std::vector<TableRow>& rows, const std::string& title,
                           const std::string& description);

struct WrittenTable {
  std::string markdown, json;
};

// <stem>.json, <stem>.csv, <stem>.md and <stem>_runs.csv (for "table": runs.csv) in `folder`.
WrittenTable write_table(const std::filesystem::path& folder, const std::string& stem,
                         const std::vector<TableEntry>& entries, const std::string& title,
                         const std::string& description);

}  // namespace avbench::report
