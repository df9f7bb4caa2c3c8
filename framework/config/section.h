// What the sections of a configuration are made of. A section is a struct with a fields() beside
// it, the only list of its keys: reading, writing and documenting all visit it.
#pragma once

#include "config/choice.h"
#include "io/fields.h"

namespace avbench::config {

// Bounds of a number, both included.
struct Range {
  double min, max;
};
// Allowed integers, separated by '|'.
struct OneOf {
  const char* numbers;
};
// Values of a whole section under a name. fields() visits a section's presets before its keys.
template <class T>
struct Preset {
  const char* name;
  T values;
};

}  // namespace avbench::config
