#include "config/document.h"

#include "config/experiment.h"
#include "config/reader.h"
#include "config/writer.h"
#include "io/json.h"
#include "io/strings.h"

namespace avbench::config {
namespace {

// "window 1024, flip true": keys of `after` that differ.
template <class T>
std::string changes(const T& before, const T& after) {
  const auto a = Writer<nlohmann::ordered_json>::written(before);
  const auto b = Writer<nlohmann::ordered_json>::written(after);
  std::vector<std::string> changed;
  for (const auto& [key, value] : b.items()) {
    if (value != a.at(key)) {
      changed.push_back(key + " " +
                        (value.is_string() ? value.template get<std::string>() : value.dump()));
    }
  }
  return io::join(changed);
}

class Documenter {
 public:
  Documenter(std::string path, std::vector<KeyDoc>& keys) : path_(std::move(path)), keys_(keys) {}

  void operator()(const char* name, const int64_t& value, Range range, const char* doc) {
    add(name, "integer", value, span_of(range), doc);
  }
  void operator()(const char* name, const double& value, Range range, const char* doc) {
    add(name, "number", value, span_of(range), doc);
  }
  void operator()(const char* name, const std::optional<double>& value, Range range,
                  const char* doc) {
    add(name, "number", value ? io::Json(*value) : io::Json(), span_of(range), doc);
  }
  template <class List>
  void operator()(const char* name, const List& value, Range range, const char* doc) {
    const bool integers = std::is_integral_v<typename List::value_type>;
    add(name, integers ? "list of integers" : "list of numbers", value, span_of(range) + " each",
        doc);
  }
  void operator()(const char* name, const bool& value, const char* doc) {
    add(name, "flag", value, "true, false", doc);
  }
  void operator()(const char* name, const std::string& value, const char* doc) {
    add(name, "text", value, "", doc);
  }
  template <Choice E>
  void operator()(const char* name, const E& value, const char* doc) {
    std::vector<std::string> words = all_words<E>();
    std::erase(words, "");
    add(name, "word", value, io::join(words), doc);
  }
  void operator()(const char* name, const int64_t& value, OneOf allowed, const char* doc) {
    add(name, "integer", value, io::join(io::split(allowed.numbers, '|')), doc);
  }
  // The first preset is what the keys' own defaults are.
  template <class T>
  void preset(const T&, const std::vector<Preset<T>>& presets, const char* doc) {
    std::vector<std::string> names;
    std::string meaning = doc;
    for (const Preset<T>& preset : presets) {
      names.push_back(preset.name);
      if (names.size() > 1) {
        meaning += "; " + names.back() + ": " + changes(presets.front().values, preset.values);
      }
    }
    keys_.push_back(
        {path_ + "preset", "word", io::Json(names.front()).dump(), io::join(names), meaning});
  }
  void path(const char* name, const std::string& value, const char* doc) {
    add(name, "path", value, "", doc);
  }
  void settings(const char* name, const std::vector<Setting>&, const char* doc) {
    add(name, "map", io::Json::object(), "", doc);
  }
  template <class T>
  void section(const char* name, const T& section) {
    Documenter inner(path_ + name + ".", keys_);
    fields(inner, section);
  }
  template <class T>
  void overrides(const char* name, const T&, const char* base, const char* doc) {
    keys_.push_back({path_ + name, "map", base, "", doc});
  }
  void names(const char* name, const std::vector<std::string>& value, const char* doc) {
    add(name, "list of names", value, "", doc);
  }
  void rows(const char* name, const std::vector<RowConfig>&, const Experiment&) {
    const RowConfig row;
    Documenter inner(path_ + name + "[].", keys_);
    fields(inner, row);
  }

 private:
  void add(const char* name, const char* type, const io::Json& value, std::string allowed,
           const char* doc) {
    keys_.push_back({path_ + name, type, value.dump(), std::move(allowed), doc});
  }

  std::string path_;
  std::vector<KeyDoc>& keys_;
};

// Angle brackets would be taken for HTML.
std::string markdown_cell(const std::string& text) {
  std::string cell;
  for (const char c : text) cell += c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return cell;
}

std::string section_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

}  // namespace

std::vector<KeyDoc> document_keys() {
  std::vector<KeyDoc> keys;
  const Experiment experiment;
  Documenter documenter("", keys);
  fields(documenter, experiment);
  return keys;
}

std::string document_markdown() {
  std::string text;
  std::string section = "none yet";
  for (const KeyDoc& key : document_keys()) {
    if (section_of(key.path) != section) {
      section = section_of(key.path);
      text += "\n### " + (section.empty() ? "Top level" : "`" + section + "`") +
              "\n\n| Key | Type | Default | Allowed | Meaning |\n|---|---|---|---|---|\n";
    }
    text += "| `" + key.path + "` | " + key.type + " | `" + key.default_value + "` | " +
            key.allowed + " | " + markdown_cell(key.doc) + " |\n";
  }
  return text;
}

}  // namespace avbench::config
