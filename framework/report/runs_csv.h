// The runs of an experiment as CSV, for statistics elsewhere.
#pragma once

#include <string>
#include <vector>

#include "report/table_rows.h"

namespace avbench::report {

// A line for each entry that has a summary: the summary's fields except `diagnostics`, `control_of`
// and `stale`.
std::string runs_csv(const std::vector<TableEntry>& entries);

}  // namespace avbench::report
