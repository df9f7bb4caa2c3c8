#include "plugin/record.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string_view>

#include "plugin/embeddings.h"

namespace avbench::plugin {
namespace {

// Names stand in files, folders and on the command line.
bool is_name(const char* text) {
  if (text == nullptr || *text == '\0') return false;
  return std::all_of(text, text + std::string_view(text).size(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_blank(const char* text) { return text == nullptr || *text == '\0'; }

std::string quoted(const char* text) {
  return text == nullptr ? "null" : std::string("'") + text + "'";
}

class Faults {
 public:
  void check(bool good, const std::string& fault) {
    if (!good) list_.push_back(fault);
  }

  // A usable name that was not there before.
  bool check_name(const char* what, const char* name) {
    check(is_name(name), std::string(what) + " is named " + quoted(name) +
                             ", expected lower-case letters, digits and '_'");
    if (!is_name(name)) return false;
    check(seen_.emplace(what, name).second,
          std::string(what) + " " + quoted(name) + " is repeated");
    return true;
  }

  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
  std::set<std::pair<std::string, std::string>> seen_;
};

void check_param(const ParamSpec& spec, Faults& faults) {
  if (!faults.check_name("a parameter", spec.name)) return;
  const std::string parameter = "parameter " + quoted(spec.name);
  if (spec.default_text == nullptr || spec.choices == nullptr) {
    faults.check(false, parameter + " has a null text");
    return;
  }
  faults.check(!is_blank(spec.doc), parameter + " has no documentation");
  try {
    Params::resolve("plugin", {&spec, 1}, {});
  } catch (const std::logic_error&) {
    faults.check(false, parameter + ": default is '" + default_text(spec) + "', allowed is " +
                            allowed_text(spec));
  }
}

void check_embedding(const EmbeddingSpec& spec, Faults& faults) {
  if (!faults.check_name("an embedding", spec.name)) return;
  faults.check(spec.shape != nullptr && is_symbolic_shape(spec.shape),
               "embedding " + quoted(spec.name) + " has shape " + quoted(spec.shape) +
                   ", expected letters such as 'B,D' or 'B,K+1,D', or nothing for a scalar");
  faults.check(spec.min < spec.max, "embedding " + quoted(spec.name) + " has an empty range");
}

}  // namespace

std::vector<std::string> record_faults(const MethodPlugin* record) {
  if (record == nullptr) return {"avbench_method_plugin() returned null"};
  Faults faults;
  faults.check_name("the method", record->name);
  faults.check(!is_blank(record->summary), "summary is empty");
  faults.check(!is_blank(record->paper), "paper is empty");
  faults.check(record->views != nullptr, "views is null");
  faults.check(record->loss != nullptr, "loss is null");
  faults.check(record->create != nullptr, "create is null");
  for (const ParamSpec& spec : record->params) check_param(spec, faults);
  faults.check(!record->embeddings.empty(), "there are no embeddings");
  for (const EmbeddingSpec& spec : record->embeddings) check_embedding(spec, faults);
  return faults.take();
}

}  // namespace avbench::plugin
