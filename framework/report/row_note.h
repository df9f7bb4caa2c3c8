// The note of a row in the table's text.
#pragma once

#include <string>

#include "report/table_rows.h"

namespace avbench::report {

// "collapsed: a dead gate (1 of 2 seeds); control of SimCLR"; empty if there is nothing to say.
std::string row_note(const TableRow& row);

}  // namespace avbench::report
