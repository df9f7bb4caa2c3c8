#include "report/columns.h"

#include <algorithm>

#include "report/cell_formats.h"
#include "report/csv_value.h"
#include "report/row_note.h"

namespace avbench::report {
namespace {

// ---- values -------------------------------------------------------------------------------------

template <auto member>
io::Json get(const TableRow& row) {
  const auto& value = row.*member;
  if constexpr (requires { value.has_value(); }) {
    return value ? io::Json(*value) : io::Json();
  } else {
    return value;
  }
}

// In %, as published accuracies are.
io::Json measured(const TableRow& row) {
  return row.accuracy_mean ? io::Json(100 * *row.accuracy_mean) : io::Json();
}

// What the training step could do if data cost it nothing.
io::Json clips_per_second_without_waiting(const TableRow& row) {
  return row.waiting_share < 1 ? row.clips_per_second / (1 - row.waiting_share) : 0.0;
}

io::Json seed_count(const TableRow& row) { return row.seeds.size(); }

io::Json note(const TableRow& row) { return row_note(row); }

// ---- conditions ---------------------------------------------------------------------------------

// Some row has the value, and it is not zero.
template <auto member>
bool any(const std::vector<TableRow>& rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const TableRow& row) { return static_cast<bool>(row.*member); });
}

// A published accuracy stands beside one of the test.
bool with_paper(const std::vector<TableRow>& rows) {
  return is_tested(rows) && any<&TableRow::paper>(rows);
}
bool without_paper(const std::vector<TableRow>& rows) { return !with_paper(rows); }

// ---- the list -----------------------------------------------------------------------------------

// Two columns where the text and the files have a value at different places.
constexpr Column kColumns[] = {
    {.key = "row", .value = get<&TableRow::row>, .heading = "Row"},
    {.key = "method", .value = get<&TableRow::method>},
    {.key = "modality", .value = get<&TableRow::modality>, .heading = "Modality"},
    {.key = "seeds", .value = get<&TableRow::seeds>},
    {.value = get<&TableRow::paper>,
     .heading = "paper",
     .format = cell_formats::one_decimal,
     .explain = "test accuracy in % as published",
     .shown = with_paper},
    {.value = get<&TableRow::accuracy_mean>,
     .heading = "measured",
     .format = cell_formats::accuracy,
     .explain = "test accuracy in % reached here, with the chosen checkpoint",
     .shown = with_paper},
    {.key = "accuracy_mean",
     .value = get<&TableRow::accuracy_mean>,
     .heading = "Test accuracy %",
     .format = cell_formats::accuracy,
     .explain = "accuracy of the chosen checkpoint on the test split",
     .shown = is_tested,
     .shown_in_text = without_paper},
    {.key = "accuracy_std", .value = get<&TableRow::accuracy_std>, .shown = is_tested},
    {.key = "validation",
     .value = get<&TableRow::validation>,
     .heading = "Validation %",
     .format = cell_formats::validation,
     .explain = "accuracy of the chosen checkpoint on the validation split"},
    {.key = "validation_std", .value = get<&TableRow::validation_std>},
    {.key = "train_accuracy",
     .value = get<&TableRow::train_accuracy>,
     .heading = "Training %",
     .format = cell_formats::percent,
     .explain = "accuracy of the last weights on the labelled training samples"},
    {.key = "forward_passes",
     .value = get<&TableRow::forward_passes>,
     .heading = "Forward passes",
     .format = cell_formats::four_digits,
     .explain = "how many times the encoders, momentum encoders included, run for each sample in "
                "one training step"},
    {.key = "clips_per_second",
     .value = get<&TableRow::clips_per_second>,
     .heading = "clips/s",
     .format = cell_formats::one_decimal,
     .explain = "pretraining speed, data loading included; for a supervised baseline, finetuning "
                "speed"},
    {.key = "waiting_share",
     .value = get<&TableRow::waiting_share>,
     .heading = "Waits %",
     .format = cell_formats::percent,
     .explain = "share of that training time spent waiting for data"},
    {.key = "clips_per_second_without_waiting", .value = clips_per_second_without_waiting},
    {.key = "peak_memory_bytes",
     .value = get<&TableRow::peak_memory_bytes>,
     .heading = "Peak MiB",
     .format = cell_formats::mebibytes,
     .explain = "highest memory use in any stage"},
    {.key = "seconds",
     .value = get<&TableRow::seconds>,
     .heading = "Time s",
     .format = cell_formats::whole,
     .explain = "how long all stages of a run took together"},
    {.key = "chance", .value = get<&TableRow::chance>},
    {.key = "labels_train",
     .value = get<&TableRow::labels_train>,
     .heading = "Labels",
     .format = cell_formats::labels,
     .explain = "number of labelled samples used, training + validation"},
    {.key = "labels_validation", .value = get<&TableRow::labels_validation>},
    {.value = seed_count, .heading = "Seeds", .explain = "number of finished runs, one per seed"},
    {.key = "clipped_share",
     .value = get<&TableRow::clipped_share>,
     .heading = "Clipped %",
     .format = cell_formats::percent,
     .explain = "share of pretraining steps whose gradient was clipped",
     .shown_in_text = any<&TableRow::clipped_share>},
    {.key = "collapse", .value = get<&TableRow::collapse>},
    {.key = "collapsed_seeds", .value = get<&TableRow::collapsed_seeds>},
    {.key = "stale_seeds", .value = get<&TableRow::stale_seeds>},
    {.key = "control_of", .value = get<&TableRow::control_of>},
    {.key = "like_its_control", .value = get<&TableRow::like_its_control>},
    {.key = "protocol", .value = get<&TableRow::protocol>},
    {.key = "trials",
     .value = get<&TableRow::trials>,
     .heading = "Trials",
     .format = cell_formats::unless_zero,
     .explain = "number of settings that the sweep tried",
     .shown = any<&TableRow::trials>},
    {.key = "paper", .value = get<&TableRow::paper>, .shown = with_paper},
    {.key = "measured", .value = measured, .shown = with_paper},
    {.value = note, .heading = "Note"},
};

}  // namespace

std::vector<Column> file_columns(const std::vector<TableRow>& rows) {
  std::vector<Column> columns;
  for (const Column& column : kColumns) {
    if (!column.key.empty() && column.shown(rows)) columns.push_back(column);
  }
  return columns;
}

std::vector<Column> text_columns(const std::vector<TableRow>& rows) {
  std::vector<Column> columns;
  for (const Column& column : kColumns) {
    if (column.heading.empty() || !column.shown(rows)) continue;
    if (column.shown_in_text(rows)) columns.push_back(column);
  }
  return columns;
}

std::string text_cell(const Column& column, const TableRow& row) {
  const io::Json value = column.value(row);
  return value.is_null() || !column.format ? csv_value(value) : column.format(value, row);
}

bool is_tested(const std::vector<TableRow>& rows) {
  return !rows.empty() && rows.front().accuracy_mean.has_value();
}

}  // namespace avbench::report
