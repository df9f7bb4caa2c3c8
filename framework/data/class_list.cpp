#include "data/class_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/suggest.h"

namespace avbench {
namespace {

namespace fs = std::filesystem;

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace

std::vector<std::string> read_class_list(const fs::path& file) {
  std::istringstream lines(read_file(file));
  std::vector<std::string> classes;
  std::map<std::string, int> seen;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::string name = trimmed(line.substr(0, line.find('#')));
    if (name.empty()) continue;
    const auto [first, is_new] = seen.emplace(spaced(name), number);
    if (!is_new) {
      throw UserError(fmt::format("{}:{}: '{}' is already on line {}", file.string(), number, name,
                                  first->second));
    }
    classes.push_back(name);
  }
  if (classes.empty()) {
    throw UserError(file.string() + ": no class in it; expected the name of one on each line");
  }
  return classes;
}

void keep_classes(std::vector<Item>& items, const std::vector<std::string>& classes,
                  const fs::path& file) {
  std::set<std::string> wanted, found;
  for (const std::string& name : classes) wanted.insert(spaced(name));
  std::set<std::string> all;
  for (const Item& item : items) all.insert(item.label);
  std::erase_if(items, [&](const Item& item) { return !wanted.contains(spaced(item.label)); });
  for (const Item& item : items) found.insert(spaced(item.label));
  std::vector<std::string> missing;
  for (const std::string& name : classes) {
    if (found.contains(spaced(name))) continue;
    missing.push_back("'" + name + "'" + did_you_mean(name, {all.begin(), all.end()}));
  }
  if (missing.empty()) return;
  constexpr size_t kShown = 10;
  const size_t count = missing.size();
  if (count > kShown) {
    missing.resize(kShown);
    missing.push_back(fmt::format("and {} more", count - kShown));
  }
  throw UserError(
      fmt::format("{}: {} of the {} classes have no file in the source: {}. Add their files, "
                  "correct the names, "
                  "or take them out of the list.",
                  file.string(), count, classes.size(), join(missing)));
}

}  // namespace avbench
