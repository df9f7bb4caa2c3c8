// Files that exist whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace avbench::io {

// A file written piece by piece. Until commit() the bytes lie in a temporary file in the same
// folder, which the destructor removes; commit() syncs it, renames it and syncs the folder.
// Failures (full disk, read-only folder) throw std::runtime_error with path and reason; a folder
// that does not exist, and a path that is taken by something else than a file, are a UserError.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit();

 private:
  [[noreturn]] void fail(const char* action) const;

  std::filesystem::path path_;
  std::string temporary_;
  int descriptor_ = -1;
};

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// Removes the temporary files of AtomicFile that killed processes left in `folder`. Only for the
// one process that writes there.
void remove_temporary_files(const std::filesystem::path& folder);

// The whole file. Throws UserError if it is missing, a folder, or not readable.
std::string read_file(const std::filesystem::path& path);
std::vector<std::byte> read_bytes(const std::filesystem::path& path);

}  // namespace avbench::io
