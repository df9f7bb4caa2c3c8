// Fills a configuration from a tree of values.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "config/value.h"

namespace avbench::config {

std::string span_of(Range range);  // "1 to 1024"

// 1 to 100 letters, digits and characters of `punctuation`; no dot or space first, no space last.
bool is_name(const std::string& name, const char* punctuation);
inline constexpr const char* kRowPunctuation = " .+-_()";

// What is wrong with a configuration, gathered so that one run shows it all.
class Problems {
 public:
  void add(const Where& where, const std::string& what);
  bool empty() const { return messages_.empty(); }
  void throw_if_any() const;  // UserError

 private:
  std::vector<std::string> messages_;
};

// Visits fields() of one section. Keys that are absent leave the default.
class Reader {
 public:
  // `path` of the section, "" or "protocol.clip".
  Reader(const Value& section, std::string path, Problems& problems);

  void operator()(const char* name, int64_t& value, Range range, const char* doc);
  void operator()(const char* name, double& value, Range range, const char* doc);
  void operator()(const char* name, std::optional<double>& value, Range range, const char* doc);
  void operator()(const char* name, std::array<int64_t, 2>& value, Range range, const char* doc);
  void operator()(const char* name, std::array<double, 3>& value, Range range, const char* doc);
  void operator()(const char* name, std::vector<int64_t>& value, Range range, const char* doc);
  void operator()(const char* name, bool& value, const char* doc);
  void operator()(const char* name, std::string& value, const char* doc);
  template <Choice E>
  void operator()(const char* name, E& value, const char* doc);
  void operator()(const char* name, int64_t& value, OneOf allowed, const char* doc);

  // The key `preset`: fills the section. Keys of the same file or a later one override it, those
  // of the files it extends do not count any more.
  template <class T>
  void preset(T& section, const std::vector<Preset<T>>& presets, const char* doc);

  // "./x" and "../x" start at the file's folder, any other relative path at the current directory.
  void path(const char* name, std::string& value, const char* doc);
  // Scalars, and lists as comma-separated text.
  void settings(const char* name, std::vector<Setting>& settings, const char* doc);
  void names(const char* name, std::vector<std::string>& names, const char* doc);
  // Each row starts from the experiment's training and protocol, which have to be read before.
  void rows(const char* name, std::vector<RowConfig>& rows, const Experiment& experiment);

  template <class T>
  void section(const char* name, T& section);
  // The same for a row's own values, which the caller has filled from the experiment's.
  template <class T>
  void overrides(const char* name, T& section, const char*, const char*) {
    this->section(name, section);
  }

  void refuse_unknown();  // once all keys have been visited

 private:
  const Value* take(const char* name);  // nullptr: absent, or overruled by a later preset
  const std::string* take_word(const char* name, const std::vector<std::string>& words);
  std::string path_of(const std::string& name) const;
  void refuse(const Value& value, const char* name, const std::string& expected);
  void check_row(const RowConfig& row, const Value& value, const std::vector<RowConfig>& before);
  template <class T>
  void number(const Value& value, const char* name, Range range, T& out);
  template <class T, size_t N>
  void numbers(const char* name, std::array<T, N>& value, Range range, const std::string& what);

  const Value& section_;
  std::string path_;
  Problems& problems_;
  std::vector<std::string> known_;
  int preset_layer_ = 0;  // values of lower layers are overruled
};

template <Choice E>
void Reader::operator()(const char* name, E& value, const char*) {
  if (const std::string* word = take_word(name, all_words<E>())) value = *from_word<E>(*word);
}

template <class T>
void read_section(const Value& value, const std::string& path, T& section, Problems& problems) {
  Reader reader(value, path, problems);
  fields(reader, section);
  reader.refuse_unknown();
}

template <class T>
void Reader::section(const char* name, T& section) {
  if (const Value* value = take(name)) read_section(*value, path_of(name), section, problems_);
}

template <class T>
void Reader::preset(T& section, const std::vector<Preset<T>>& presets, const char*) {
  std::vector<std::string> names;
  for (const Preset<T>& preset : presets) names.push_back(preset.name);
  const std::string* name = take_word("preset", names);
  if (name == nullptr) return;
  preset_layer_ = section_.find("preset")->layer;
  for (const Preset<T>& preset : presets) {
    if (preset.name == *name) section = preset.values;
  }
}

}  // namespace avbench::config
