// A configuration file as a tree of values that know where they were written.
#pragma once

#include <string>
#include <vector>

namespace avbench {

// "configs/a.yaml:12" or "--set a.b".
using Where = std::string;

// One key with the text that was given for it, e.g. a parameter of a method.
struct Setting {
  std::string name;
  std::string text;
  Where where;
};

}  // namespace avbench
