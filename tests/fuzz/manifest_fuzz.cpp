// A CSV manifest: of files, of which two are there.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>

#include "data/csv_reader.h"
#include "data/manifest.h"
#include "fuzz/fuzzing.h"
#include "io/csv.h"
#include "io/json.h"

using namespace avbench;

namespace {

// Written as RFC 4180 has it, the same fields must come back.
void check_csv(const std::string& text) {
  std::string written;
  const auto records = data::parse_csv(text, "input");
  for (const data::CsvRecord& record : records) written += io::csv_line(record.fields);
  const auto again = data::parse_csv(written, "written");
  fuzz::require(std::equal(records.begin(), records.end(), again.begin(), again.end(),
                           [](const auto& a, const auto& b) { return a.fields == b.fields; }),
                "written CSV reads as the same");
}

void check_items(const std::vector<data::ManifestEntry>& items) {
  std::set<std::pair<data::Split, std::string>> seen;
  for (const data::ManifestEntry& item : items) {
    fuzz::require(seen.emplace(item.split, item.id).second, "ids of a split are unique");
    fuzz::require(!item.label.empty(), "every item has a label");
    fuzz::require(io::is_utf8(item.id) && io::is_utf8(item.label), "names can stand in JSON");
    fuzz::require(!item.file.empty() && item.id.starts_with(item.file), "an id names its file");
    fuzz::require(item.start.value_or(0) >= 0, "a part begins in the file");
    fuzz::require(!item.end || *item.end > item.start.value_or(0), "a part is not empty");
  }
  fuzz::require(!items.empty() && !data::class_names(items).empty(),
                "an accepted manifest has items");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  for (const char* name : {"a.mp4", "b.mp4"}) fuzz::write_input(name, {});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  fuzz::accepted([&] { check_csv(text); });
  const auto file = fuzz::write_input("manifest.csv", text);
  fuzz::accepted([&] { check_items(data::read_source(file)); });
  return 0;
}
