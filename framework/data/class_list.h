// A text file that names the classes to use of a source.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/manifest.h"

namespace avbench::data {

// One name a line; empty lines and what follows a '#' are left out, and so is space around a name.
// Throws UserError with file:line if a name is there twice, in whatever spelling, or is not UTF-8,
// and if there is none.
std::vector<std::string> read_class_list(const std::filesystem::path& file);

// Keeps the items of the listed classes, in either spelling (class_name.h). Throws UserError that
// names the classes without any item.
void keep_classes(std::vector<ManifestEntry>& items, const std::vector<std::string>& classes,
                  const std::filesystem::path& file);

}  // namespace avbench::data
