// When two names of a class are one: copies of a data set write "playing guitar" or
// "playing_guitar".
#pragma once

#include <string>
#include <vector>

#include "data/manifest.h"

namespace avbench::data {

// Equal for the spellings of one class: '_' and ' ' are the same. Case counts.
std::string class_key(std::string name);

// Items of one class get one label: as they all spell it, or, where they differ, with spaces.
void unite_spellings(std::vector<ManifestEntry>& items);

}  // namespace avbench::data
