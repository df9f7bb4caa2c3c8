#include "config/writer.h"

#include <algorithm>

namespace avbench::config {
namespace {

using Json = nlohmann::ordered_json;

bool fits_a_line(const Json& value) {
  const bool flat = std::none_of(value.begin(), value.end(),
                                 [](const Json& child) { return child.is_structured(); });
  return !value.is_structured() || value.empty() || (value.is_array() && flat);
}

// The names in fields() are plain words; a setting's name is the user's and may need quotes.
std::string key_text(const std::string& key) {
  const bool plain = std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
  return plain && !key.empty() && key != "null" ? key : Json(key).dump();
}

// Every JSON scalar and flat list is YAML as it stands; only maps and lists of maps get lines.
void write(std::string& text, const Json& value, const std::string& indent) {
  const auto child = [&](const std::string& lead, const Json& item) {
    text += indent + lead;
    if (fits_a_line(item)) {
      text += " " + item.dump() + "\n";
    } else {
      text += "\n";
      write(text, item, indent + "  ");
    }
  };
  if (value.is_array()) {
    for (const Json& item : value) child("-", item);
  } else {
    for (const auto& [key, item] : value.items()) child(key_text(key) + ":", item);
  }
}

}  // namespace

std::string to_yaml(const Experiment& experiment) {
  std::string text;
  write(text, Writer<Json>::written(experiment), "");
  return text;
}

}  // namespace avbench::config
