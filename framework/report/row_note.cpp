#include "report/row_note.h"

#include <fmt/format.h>

#include <vector>

namespace avbench::report {
namespace {

// Which seeds a remark is about, where the row has several.
std::string seeds(int64_t count, const TableRow& row) {
  if (row.seeds.size() < 2) return "";
  return fmt::format(" ({} of {} seeds)", count, row.seeds.size());
}

}  // namespace

std::string row_note(const TableRow& row) {
  std::vector<std::string> notes;
  if (row.stale_seeds > 0) {
    notes.push_back("stale: made by another build of the plugin" + seeds(row.stale_seeds, row));
  }
  if (!row.collapse.empty()) {
    notes.push_back("collapsed: " + row.collapse + seeds(row.collapsed_seeds, row));
  }
  if (row.like_its_control) notes.emplace_back("not cross-modal: no better than its control");
  if (!row.control_of.empty()) notes.push_back("control of " + row.control_of);
  return fmt::format("{}", fmt::join(notes, "; "));
}

}  // namespace avbench::report
