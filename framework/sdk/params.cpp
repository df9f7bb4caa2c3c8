#include "avbench/params.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "io/error.h"
#include "io/strings.h"
#include "io/suggest.h"

namespace avbench {
namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "a, b" -> {"a", "b"}; "" -> {}.
std::vector<std::string> words_of(const std::string& text, char separator) {
  if (trimmed(text).empty()) return {};
  std::vector<std::string> words = io::split(text, separator);
  for (std::string& word : words) word = trimmed(word);
  return words;
}

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "a number from 0.001 to 100", "a number, at least 0", "a number"
std::string with_range(const std::string& what, const ParamSpec& spec) {
  const bool low = std::isfinite(spec.min), high = std::isfinite(spec.max);
  if (low && high) return what + " from " + shortest(spec.min) + " to " + shortest(spec.max);
  if (low) return what + ", at least " + shortest(spec.min);
  if (high) return what + ", at most " + shortest(spec.max);
  return what;
}

template <typename T>
bool parse_whole(const std::string& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool in_range(double value, const ParamSpec& spec) {
  return std::isfinite(value) && value >= spec.min && value <= spec.max;
}

// The value that `text` means, or false where it means none.
bool parse(const ParamSpec& spec, const std::string& text, Params::Value& value) {
  switch (spec.type) {
    case ParamType::kNumber: {
      double number = 0;
      if (!parse_whole(text, number) || !in_range(number, spec)) return false;
      value = number;
      return true;
    }
    case ParamType::kInteger: {
      int64_t integer = 0;
      if (!parse_whole(text, integer) || !in_range(static_cast<double>(integer), spec)) {
        return false;
      }
      value = integer;
      return true;
    }
    case ParamType::kFlag:
      value = text == "true";
      return text == "true" || text == "false";
    case ParamType::kChoice:
      value = text;
      return contains(words_of(spec.choices, '|'), text);
    case ParamType::kList: {
      const auto words = words_of(text, ',');
      const auto allowed = words_of(spec.choices, '|');
      value = words;
      for (auto word = words.begin(); word != words.end(); ++word) {
        if (!contains(allowed, *word) || std::find(words.begin(), word, *word) != word) {
          return false;
        }
      }
      return true;
    }
  }
  return false;
}

// Sets the value of the spec that the input names; returns what is wrong with it, or "".
std::string apply(const std::string& owner, std::span<const ParamSpec> specs,
                  const ParamInput& input, std::map<std::string, Params::Value>& values) {
  std::vector<std::string> known;
  for (const ParamSpec& spec : specs) {
    known.emplace_back(spec.name);
    if (spec.name != input.name) continue;
    if (parse(spec, trimmed(input.text), values[input.name])) return "";
    return input.where + ": parameter '" + input.name + "' of '" + owner + "': got '" + input.text +
           "', expected " + allowed_text(spec);
  }
  return input.where + ": '" + owner + "' has no parameter '" + input.name + "'" +
         io::did_you_mean(input.name, known) +
         (known.empty() ? "; it has none" : "; known: " + io::join(known));
}

}  // namespace

std::string default_text(const ParamSpec& spec) {
  switch (spec.type) {
    case ParamType::kNumber:
      return shortest(spec.default_number);
    case ParamType::kInteger:
      return std::to_string(static_cast<int64_t>(spec.default_number));
    case ParamType::kFlag:
      return spec.default_number != 0 ? "true" : "false";
    case ParamType::kChoice:
    case ParamType::kList:
      return spec.default_text;
  }
  return "";
}

std::string allowed_text(const ParamSpec& spec) {
  switch (spec.type) {
    case ParamType::kNumber:
      return with_range("a number", spec);
    case ParamType::kInteger:
      return with_range("an integer", spec);
    case ParamType::kFlag:
      return "true or false";
    case ParamType::kChoice:
      return "one of " + io::join(words_of(spec.choices, '|'));
    case ParamType::kList:
      return "a comma-separated list, without repetition, of " +
             io::join(words_of(spec.choices, '|'));
  }
  return "";
}

Params Params::resolve(const std::string& owner, std::span<const ParamSpec> specs,
                       const std::vector<ParamInput>& inputs) {
  Params params;
  for (const ParamSpec& spec : specs) {
    if (!parse(spec, default_text(spec), params.values_[spec.name])) {
      throw std::logic_error("'" + owner + "': default of parameter '" + spec.name + "' is '" +
                             default_text(spec) + "', allowed is " + allowed_text(spec));
    }
  }
  std::vector<std::string> mistakes;
  for (const ParamInput& input : inputs) {
    std::string mistake = apply(owner, specs, input, params.values_);
    if (!mistake.empty()) mistakes.push_back(std::move(mistake));
  }
  if (!mistakes.empty()) throw io::UserError(io::join(mistakes, "\n"));
  return params;
}

template <typename T>
const T& Params::get(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    throw std::logic_error("parameter '" + name + "' is read but not declared");
  }
  if (const T* value = std::get_if<T>(&found->second)) return *value;
  throw std::logic_error("parameter '" + name + "' is read as another type than declared");
}

double Params::number(const std::string& name) const { return get<double>(name); }
int64_t Params::integer(const std::string& name) const { return get<int64_t>(name); }
bool Params::flag(const std::string& name) const { return get<bool>(name); }
const std::string& Params::choice(const std::string& name) const { return get<std::string>(name); }
const std::vector<std::string>& Params::list(const std::string& name) const {
  return get<std::vector<std::string>>(name);
}

void usage_error(const std::string& message) { throw io::UserError(message); }

}  // namespace avbench
