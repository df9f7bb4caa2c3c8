#include "data/class_list.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <sstream>

#include "data/class_name.h"
#include "io/error.h"
#include "io/json.h"
#include "io/strings.h"
#include "io/suggest.h"
#include "io/text_file.h"

namespace avbench::data {
namespace {

namespace fs = std::filesystem;

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

}  // namespace

std::vector<std::string> read_class_list(const fs::path& file) {
  std::istringstream lines(io::read_text_file(file));
  std::vector<std::string> classes;
  std::map<std::string, int> seen;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::string name = trimmed(line.substr(0, line.find('#')));
    if (name.empty()) continue;
    if (!io::is_utf8(name)) {
      throw io::UserError(fmt::format("{}:{}: the name '{}' is not UTF-8. Save the file as UTF-8.",
                                      file.string(), number, name));
    }
    const auto [first, is_new] = seen.emplace(class_key(name), number);
    if (!is_new) {
      throw io::UserError(fmt::format("{}:{}: '{}' is already on line {}", file.string(), number,
                                      name, first->second));
    }
    classes.push_back(name);
  }
  if (classes.empty()) {
    throw io::UserError(file.string() + ": no class in it; expected the name of one on each line");
  }
  return classes;
}

void keep_classes(std::vector<ManifestEntry>& items, const std::vector<std::string>& classes,
                  const fs::path& file) {
  std::set<std::string> wanted, found;
  for (const std::string& name : classes) wanted.insert(class_key(name));
  std::set<std::string> all;
  for (const ManifestEntry& item : items) all.insert(item.label);
  std::erase_if(items,
                [&](const ManifestEntry& item) { return !wanted.contains(class_key(item.label)); });
  for (const ManifestEntry& item : items) found.insert(class_key(item.label));
  std::vector<std::string> missing;
  for (const std::string& name : classes) {
    if (found.contains(class_key(name))) continue;
    missing.push_back("'" + name + "'" + io::did_you_mean(name, {all.begin(), all.end()}));
  }
  if (missing.empty()) return;
  constexpr size_t kShown = 10;
  const size_t count = missing.size();
  if (count > kShown) {
    missing.resize(kShown);
    missing.push_back(fmt::format("and {} more", count - kShown));
  }
  throw io::UserError(
      fmt::format("{}: {} of the {} classes have no file in the source: {}. Add their files, "
                  "correct the names, "
                  "or take them out of the list.",
                  file.string(), count, classes.size(), io::join(missing)));
}

}  // namespace avbench::data
