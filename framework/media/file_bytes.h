// The bytes of one untrusted file. Private to this folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "media/status.h"

namespace avbench {

// The file is of no use: becomes a status and a message, never leaves this folder.
struct Unusable {
  FileStatus status;
  std::string message;
};

// Reads with pread: a file that shrinks while it is read gives an error, not a signal.
class FileBytes {
 public:
  // Throws Unusable{kUnreadable} if there is no such file, it is no regular one (a pipe is not
  // waited for), or it may not be read.
  explicit FileBytes(const std::filesystem::path& path);
  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  int64_t size() const { return size_; }
  bool shrank() const { return shrank_; }
  bool read_at(int64_t offset, void* out, size_t bytes) const;  // false: not all of them

  static int read(void* self, uint8_t* out, int bytes);  // AVIO's signature
  static int64_t seek(void* self, int64_t offset, int whence);

 private:
  int descriptor_ = -1;
  int64_t size_ = 0, position_ = 0;
  bool shrank_ = false;
};

}  // namespace avbench
