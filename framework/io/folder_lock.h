// One process at a time in a folder.
#pragma once

#include <filesystem>

namespace avbench::io {

// Held until destruction, or until the process ends in whatever way. The folder is created if it
// is missing, and temporary files that killed processes left in it are removed. Throws UserError
// with the holder's process id and machine if another process has it.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace avbench::io
