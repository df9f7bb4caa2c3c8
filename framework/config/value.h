// A configuration file as a tree of values that know where they were written.
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace avbench::config {

// "configs/a.yaml:12" or "--set a.b".
using Where = std::string;

// One key with the text that was given for it, e.g. a parameter of a method.
struct Setting {
  std::string name;
  std::string text;
  Where where;
};

inline constexpr int kSetLayer = std::numeric_limits<int>::max();

struct Value {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  Where where;                         // of its key, or of the list's item
  std::filesystem::path folder = {};   // of the file that says it; empty: the current directory
  int layer = 0;                       // higher in the file that overrides; kSetLayer: of --set
  std::string text = {};               // kScalar
  bool quoted = false;                 // kScalar: it is text, whatever it looks like
  std::vector<std::string> keys = {};  // kMap: in the file's order, each once
  std::vector<Value> children = {};    // kMap: of keys[i]; kList: the items

  const Value* find(const std::string& key) const;  // nullptr: no such key, or no map
  Value* find(const std::string& key);
  std::string describe() const;  // for messages: "'abc'", "a map", "a list", "nothing"
};

// One YAML file with all that it, and each of its rows, `extends` (a path or a list of paths,
// relative to the file). Files of `overlays` are merged over it, later ones over earlier ones, as
// if a file extended them all. Throws UserError with file:line on what is no YAML, a repeated key,
// a tag, a file above 4 MiB, aliases that grow beyond measure, or files that extend each other in a
// circle.
Value load_yaml(const std::filesystem::path& path,
                const std::vector<std::filesystem::path>& overlays = {});

// YAML from a string, as --set has it; `where` stands for every line of it.
Value parse_yaml(const std::string& text, const Where& where);

// Maps merge key by key. A map over a list whose items have names merges into the items that its
// keys name, as set() finds them. Anything else in `overlay` replaces what is in `base`.
void merge(Value& base, Value overlay);

// "a.b.c=value" as --set has it; the value is YAML. An item of a list is named by its position from
// zero, or, if it is a map with a name, by that name: rows.SimCLR.params.temperature=0.1.
void set(Value& root, const std::string& assignment);

// The value at "a.b.c", maps only; nullptr if there is none.
const Value* find_path(const Value& root, const std::string& path);

}  // namespace avbench::config
