#include "data/class_name.h"

#include <algorithm>
#include <map>

namespace avbench::data {

std::string class_key(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

void unite_spellings(std::vector<ManifestEntry>& items) {
  std::map<std::string, std::string> names;  // by key
  for (const ManifestEntry& item : items) {
    const std::string key = class_key(item.label);
    const auto [known, is_new] = names.emplace(key, item.label);
    if (!is_new && known->second != item.label) known->second = key;
  }
  for (ManifestEntry& item : items) item.label = names.at(class_key(item.label));
}

}  // namespace avbench::data
