// How values are written in the cells of the table's text.
#pragma once

#include <string>

#include "io/json.h"
#include "report/table_rows.h"

namespace avbench::report {

// A share in %: "12.5".
std::string percent(double share);

namespace cell_formats {

// Each takes a column's value, which is not null, and the row it is from.
std::string percent(const io::Json& share, const TableRow& row);
std::string one_decimal(const io::Json& number, const TableRow& row);
std::string whole(const io::Json& number, const TableRow& row);
std::string four_digits(const io::Json& number, const TableRow& row);
std::string mebibytes(const io::Json& bytes, const TableRow& row);
std::string unless_zero(const io::Json& count, const TableRow& row);

// "50.0 ± 14.1" over several seeds.
std::string accuracy(const io::Json& mean, const TableRow& row);
// The same, but beside an accuracy of the test the mean alone.
std::string validation(const io::Json& mean, const TableRow& row);
// "40 + 80", of training and validation.
std::string labels(const io::Json& train, const TableRow& row);

}  // namespace cell_formats
}  // namespace avbench::report
