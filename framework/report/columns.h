// The columns of an experiment's table: one list for its text, table.json and table.csv.
//
// A new metric is a member of TableRow, computed in table_rows.cpp, and an entry in columns.cpp:
//
//   {.key = "waiting_share",
//    .value = get<&TableRow::waiting_share>,
//    .heading = "Waits %",
//    .format = cell_formats::percent,
//    .explain = "share of that training time spent waiting for data"},
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"
#include "report/table_rows.h"

namespace avbench::report {

// Whether a table of these rows has the column.
using InTable = bool (*)(const std::vector<TableRow>& rows);

inline bool always(const std::vector<TableRow>&) { return true; }

struct Column {
  std::string_view key;                // in table.json and table.csv; empty: in the text alone
  io::Json (*value)(const TableRow&);  // null: an empty cell
  std::string_view heading;            // in the text; empty: in the files alone
  std::string (*format)(const io::Json& value, const TableRow&) = nullptr;  // null: as in CSV
  std::string_view explain;        // in the legend below the text; empty: not there
  InTable shown = always;          // in the files and in the text
  InTable shown_in_text = always;  // a second condition for the text
};

// Those that table.json and table.csv have, and those that the text has, in their order.
std::vector<Column> file_columns(const std::vector<TableRow>& rows);
std::vector<Column> text_columns(const std::vector<TableRow>& rows);

std::string text_cell(const Column& column, const TableRow& row);

// Whether the rows were tested, rather than only validated.
bool is_tested(const std::vector<TableRow>& rows);

}  // namespace avbench::report
