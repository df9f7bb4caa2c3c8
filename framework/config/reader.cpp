#include "config/reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "io/error.h"
#include "io/json.h"
#include "io/strings.h"
#include "io/suggest.h"

namespace avbench::config {
namespace {

namespace fs = std::filesystem;
using Kind = Value::Kind;

// The whole text as a number; false if it is none, or infinite.
template <class T>
bool parse_number(std::string_view text, T& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() &&
         std::isfinite(static_cast<double>(out));
}

std::string bound(double value) {
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  return whole ? io::Json(static_cast<int64_t>(value)).dump() : io::Json(value).dump();
}

}  // namespace

std::string span_of(Range range) { return bound(range.min) + " to " + bound(range.max); }

bool is_name(const std::string& name, const char* punctuation) {
  const auto allowed = [&](unsigned char c) {
    return (c < 128 && std::isalnum(c)) ||
           std::string_view(punctuation).find(static_cast<char>(c)) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 100 && name.front() != '.' && name.front() != ' ' &&
         name.back() != ' ' && std::all_of(name.begin(), name.end(), allowed);
}

void Problems::add(const Where& where, const std::string& what) {
  messages_.push_back(where.empty() ? what : where + ": " + what);
}

void Problems::throw_if_any() const {
  constexpr size_t kShown = 20;
  if (messages_.empty()) return;
  std::vector<std::string> shown(messages_.begin(),
                                 messages_.begin() + std::min(kShown, messages_.size()));
  if (messages_.size() > kShown) {
    shown.push_back("and " + std::to_string(messages_.size() - kShown) + " more");
  }
  throw io::UserError(io::join(shown, "\n"));
}

Reader::Reader(const Value& section, std::string path, Problems& problems)
    : section_(section), path_(std::move(path)), problems_(problems) {}

const Value* Reader::take(const char* name) {
  known_.emplace_back(name);
  const Value* value = section_.find(name);
  const bool overruled =
      value != nullptr && value->kind != Kind::kMap && value->layer < preset_layer_;
  return overruled ? nullptr : value;
}

const std::string* Reader::take_word(const char* name, const std::vector<std::string>& words) {
  const Value* given = take(name);
  if (given == nullptr) return nullptr;
  const bool is_text = given->kind == Kind::kScalar || given->kind == Kind::kNull;
  if (is_text && std::find(words.begin(), words.end(), given->text) != words.end()) {
    return &given->text;
  }
  std::vector<std::string> shown = words;
  std::erase(shown, "");
  refuse(*given, name, "one of " + io::join(shown) + io::did_you_mean(given->text, shown));
  return nullptr;
}

std::string Reader::path_of(const std::string& name) const {
  return path_.empty() ? name : path_ + "." + name;
}

void Reader::refuse(const Value& value, const char* name, const std::string& expected) {
  problems_.add(value.where,
                path_of(name) + ": got " + value.describe() + ", expected " + expected);
}

void Reader::refuse_unknown() {
  if (section_.kind == Kind::kScalar || section_.kind == Kind::kList) {
    problems_.add(section_.where, path_ + ": got " + section_.describe() +
                                      ", expected a map of keys: " + io::join(known_));
    return;
  }
  for (size_t i = 0; i < section_.keys.size(); ++i) {
    const std::string& key = section_.keys[i];
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    problems_.add(section_.children[i].where, "unknown key '" + path_of(key) + "'" +
                                                  io::did_you_mean(key, known_) +
                                                  "; known here: " + io::join(known_));
  }
}

template <class T>
void Reader::number(const Value& value, const char* name, Range range, T& out) {
  const char* kind = std::is_integral_v<T> ? "an integer from " : "a number from ";
  T parsed{};
  const bool valid = value.kind == Kind::kScalar && !value.quoted &&
                     parse_number(value.text, parsed) && static_cast<double>(parsed) >= range.min &&
                     static_cast<double>(parsed) <= range.max;
  if (valid) {
    out = parsed;
  } else {
    refuse(value, name, kind + span_of(range));
  }
}

void Reader::operator()(const char* name, int64_t& value, Range range, const char*) {
  if (const Value* given = take(name)) number(*given, name, range, value);
}

void Reader::operator()(const char* name, double& value, Range range, const char*) {
  if (const Value* given = take(name)) number(*given, name, range, value);
}

void Reader::operator()(const char* name, std::optional<double>& value, Range range, const char*) {
  const Value* given = take(name);
  if (given == nullptr) return;
  value.reset();
  if (given->kind != Kind::kNull) number(*given, name, range, value.emplace());
}

template <class T, size_t N>
void Reader::numbers(const char* name, std::array<T, N>& value, Range range,
                     const std::string& what) {
  const Value* given = take(name);
  if (given == nullptr) return;
  if (given->kind != Kind::kList || given->children.size() != N) {
    refuse(*given, name, "a list of " + what + " from " + span_of(range));
    return;
  }
  for (size_t i = 0; i < N; ++i) number(given->children[i], name, range, value[i]);
}

void Reader::operator()(const char* name, std::array<int64_t, 2>& value, Range range, const char*) {
  numbers(name, value, range, "two integers");
}

void Reader::operator()(const char* name, std::array<double, 3>& value, Range range, const char*) {
  numbers(name, value, range, "three numbers");
}

void Reader::operator()(const char* name, std::vector<int64_t>& value, Range range, const char*) {
  const Value* given = take(name);
  if (given == nullptr) return;
  if (given->kind != Kind::kList) {
    refuse(*given, name, "a list of integers from " + span_of(range));
    return;
  }
  value.assign(given->children.size(), 0);
  for (size_t i = 0; i < value.size(); ++i) number(given->children[i], name, range, value[i]);
}

void Reader::operator()(const char* name, bool& value, const char*) {
  const Value* given = take(name);
  if (given == nullptr) return;
  const bool valid = given->kind == Kind::kScalar && !given->quoted &&
                     (given->text == "true" || given->text == "false");
  if (valid) {
    value = given->text == "true";
  } else {
    refuse(*given, name, "true or false");
  }
}

// A key with nothing behind it is an empty text.
void Reader::operator()(const char* name, std::string& value, const char*) {
  const Value* given = take(name);
  if (given == nullptr) return;
  if (given->kind == Kind::kScalar || given->kind == Kind::kNull) {
    value = given->text;
  } else {
    refuse(*given, name, "text");
  }
}

void Reader::operator()(const char* name, int64_t& value, OneOf allowed, const char*) {
  if (const std::string* word = take_word(name, io::split(allowed.numbers, '|'))) {
    value = std::stoll(*word);
  }
}

void Reader::path(const char* name, std::string& value, const char* doc) {
  (*this)(name, value, doc);
  if (!value.starts_with("./") && !value.starts_with("../")) return;
  const Value* given = section_.find(name);
  if (given == nullptr) return;
  const fs::path joined = (given->folder / value).lexically_normal();
  // Never "../x" again, which would mean another place when it is read from another file.
  const bool dotted = *joined.begin() == ".." || *joined.begin() == ".";
  value = (dotted ? fs::absolute(joined).lexically_normal() : joined).string();
}

void Reader::settings(const char* name, std::vector<Setting>& settings, const char*) {
  const Value* given = take(name);
  if (given == nullptr || given->kind == Kind::kNull) return;
  if (given->kind != Kind::kMap) {
    refuse(*given, name, "a map of keys");
    return;
  }
  for (size_t i = 0; i < given->keys.size(); ++i) {
    const Value& value = given->children[i];
    std::vector<std::string> words;
    for (const Value& item : value.children) words.push_back(item.text);
    const bool nested = std::any_of(value.children.begin(), value.children.end(),
                                    [](auto& item) { return item.kind != Kind::kScalar; });
    if (value.kind == Kind::kMap || nested) {
      refuse(value, (name + ("." + given->keys[i])).c_str(), "a value or a list of values");
      continue;
    }
    settings.push_back({given->keys[i],
                        value.kind == Kind::kList ? io::join(words, ",") : value.text,
                        value.where});
  }
}

void Reader::names(const char* name, std::vector<std::string>& names, const char*) {
  const Value* given = take(name);
  if (given == nullptr) return;
  const bool flat = given->kind == Kind::kList &&
                    std::all_of(given->children.begin(), given->children.end(),
                                [](auto& item) { return item.kind == Kind::kScalar; });
  if (!flat) {
    refuse(*given, name, "a list of names");
    return;
  }
  names.clear();
  for (const Value& item : given->children) names.push_back(item.text);
}

void Reader::rows(const char* name, std::vector<RowConfig>& rows, const Experiment& experiment) {
  const Value* given = take(name);
  if (given == nullptr || given->kind == Kind::kNull) return;
  if (given->kind != Kind::kList) {
    refuse(*given, name, "a list of rows, each a map of keys");
    return;
  }
  rows.clear();
  for (size_t i = 0; i < given->children.size(); ++i) {
    const Value& value = given->children[i];
    RowConfig row;
    row.pretrain = experiment.training;
    row.protocol = experiment.protocol;
    read_section(value, path_of(name) + "[" + std::to_string(i) + "]", row, problems_);
    if (value.kind == Kind::kMap) check_row(row, value, rows);
    rows.push_back(std::move(row));
  }
}

// What no single key shows: the name, and that a row is one of two kinds.
void Reader::check_row(const RowConfig& row, const Value& value,
                       const std::vector<RowConfig>& before) {
  const auto complain = [&](const char* key, const std::string& what) {
    const Value* at = value.find(key);
    problems_.add(at == nullptr ? value.where : at->where, "row '" + row.name + "': " + what);
  };
  if (!is_name(row.name, kRowPunctuation)) {
    complain("name",
             "expected a name of at most 100 letters, digits, spaces and . + - _ ( ), that neither "
             "begins with a dot or space nor ends with a space: it names a folder");
  }
  const bool repeated = std::any_of(before.begin(), before.end(),
                                    [&](const RowConfig& other) { return other.name == row.name; });
  if (repeated) complain("name", "another row has the same name");
  const bool baseline = row.baseline != RowConfig::Baseline::kNone;
  if (row.method.empty() != baseline) {
    complain("method", row.method.empty() ? "expected a method or a baseline, got neither"
                                          : "expected a method or a baseline, got both");
  }
  if (baseline && !row.params.empty()) complain("params", "a baseline has no params");
  if (baseline && !row.pretrained) complain("pretrained", "a baseline is never pretrained");
}

}  // namespace avbench::config
