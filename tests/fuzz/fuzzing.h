// What the fuzz targets share.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "io/error.h"
#include "io/temp_folder.h"

namespace avbench::fuzz {

// A property that must hold for whatever was accepted; libFuzzer keeps the input.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "property violated: %s\n", what);
  std::abort();
}

// One folder for the whole process, in memory where there is /dev/shm.
inline const std::filesystem::path& folder() {
  static const io::TempFolder kFolder;
  return kFolder.path();
}

inline std::filesystem::path write_input(const char* name, std::span<const char> bytes) {
  std::filesystem::path path = folder() / name;
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

// Calls `read`; a refusal must say something. Any other exception ends the process.
template <class F>
bool accepted(F read) {
  try {
    read();
    return true;
  } catch (const io::UserError& refusal) {
    require(*refusal.what() != '\0', "a refusal has a message");
    return false;
  }
}

}  // namespace avbench::fuzz
