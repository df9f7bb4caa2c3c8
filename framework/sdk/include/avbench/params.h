// Parameters of a method as data: declared by the plugin, checked by the host.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "avbench/export.h"

namespace avbench {

enum class ParamType { kNumber, kInteger, kFlag, kChoice, kList };

// One parameter. Plain data, so that listing and describing a plugin constructs nothing.
struct ParamSpec {
  const char* name;
  ParamType type;
  double default_number = 0;      // kNumber, kInteger, kFlag (0 or 1)
  const char* default_text = "";  // kChoice; kList: comma-separated
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  const char* choices = "";  // kChoice, kList: the allowed words, separated by '|'
  const char* doc = "";      // one line
};

constexpr ParamSpec number(const char* name, double value, double min, double max,
                           const char* doc) {
  return {name, ParamType::kNumber, value, "", min, max, "", doc};
}
constexpr ParamSpec integer(const char* name, int64_t value, int64_t min, int64_t max,
                            const char* doc) {
  return {name,
          ParamType::kInteger,
          static_cast<double>(value),
          "",
          static_cast<double>(min),
          static_cast<double>(max),
          "",
          doc};
}
constexpr ParamSpec flag(const char* name, bool value, const char* doc) {
  return {name, ParamType::kFlag, value ? 1.0 : 0.0, "", 0, 1, "", doc};
}
// choices: "fused|towers"
constexpr ParamSpec choice(const char* name, const char* value, const char* choices,
                           const char* doc) {
  return {name, ParamType::kChoice, 0, value, 0, 0, choices, doc};
}
// value: comma-separated words out of choices, e.g. list("cgra", "pool", "conv3|conv4|conv5|pool")
constexpr ParamSpec list(const char* name, const char* value, const char* choices,
                         const char* doc) {
  return {name, ParamType::kList, 0, value, 0, 0, choices, doc};
}

// For messages and listings: "0.5", "true", "fused"; "a number from 0 to 1", "one of fused,
// towers".
AVBENCH_EXPORT std::string default_text(const ParamSpec& spec);
AVBENCH_EXPORT std::string allowed_text(const ParamSpec& spec);

// What a user wrote for one parameter, and where ("configs/a.yaml:12", "--set temperature").
struct ParamInput {
  std::string name;
  std::string text;
  std::string where;
};

// Checked values of a plugin's parameters. Reading a name that the plugin did not declare, or as
// another type than declared, throws std::logic_error: that is the plugin's bug.
class AVBENCH_EXPORT Params {
 public:
  using Value = std::variant<double, int64_t, bool, std::string, std::vector<std::string>>;

  // Defaults of `specs` overridden by `inputs`. Throws UserError on an unknown name (with the
  // known ones and the nearest), a wrong type, or a value out of range or not among the choices.
  // `owner` names the plugin in messages.
  static Params resolve(const std::string& owner, std::span<const ParamSpec> specs,
                        const std::vector<ParamInput>& inputs);

  double number(const std::string& name) const;
  int64_t integer(const std::string& name) const;
  bool flag(const std::string& name) const;
  const std::string& choice(const std::string& name) const;
  const std::vector<std::string>& list(const std::string& name) const;

  const std::map<std::string, Value>& values() const { return values_; }

 private:
  template <typename T>
  const T& get(const std::string& name) const;
  std::map<std::string, Value> values_;
};

// A combination of parameters that makes no sense, found by a plugin: reported as the user's
// mistake (exit code 2).
[[noreturn]] AVBENCH_EXPORT void usage_error(const std::string& message);

}  // namespace avbench
