#include "report/runs_csv.h"

#include <type_traits>
#include <utility>

#include "io/csv.h"
#include "report/csv_value.h"

namespace avbench::report {
namespace {

// Visits fields(): name and value of each that is a number or a text. An object, such as
// `diagnostics`, has no place in a line.
struct Columns {
  std::vector<std::string> names, values;

  template <class T>
  void operator()(const char* name, const T& value) {
    if constexpr (!std::is_same_v<T, io::Json>) add(name, value);
  }
  template <class T>
  void operator()(const char* name, const std::optional<T>& value) {
    add(name, value ? io::Json(*value) : io::Json());
  }
  void add(const char* name, const io::Json& value) {
    names.emplace_back(name);
    values.push_back(csv_value(value));
  }
};

Columns columns_of(const TableEntry& entry) {
  Columns columns;
  fields(columns, entry.summary.value());
  columns("control_of", entry.control_of);
  columns("stale", entry.stale);
  return columns;
}

}  // namespace

std::string runs_csv(const std::vector<TableEntry>& entries) {
  std::string text = io::csv_line(columns_of({.summary = RunSummary{}}).names);
  for (const TableEntry& entry : entries) {
    if (entry.summary) text += io::csv_line(columns_of(entry).values);
  }
  return text;
}

}  // namespace avbench::report
