// What a shared library exports, read from its file: nothing of it is loaded or run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace avbench::io {

// Names defined in the dynamic symbol table (it survives `strip`) with global or weak binding.
// Throws std::runtime_error with the reason if this is not a whole 64-bit little-endian ELF
// shared library; every offset is checked against the file's size.
std::vector<std::string> exported_symbols(const std::filesystem::path& library);

}  // namespace avbench::io
