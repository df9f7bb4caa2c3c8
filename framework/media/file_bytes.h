// The bytes of one untrusted file. Private to this folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>

#include "media/status.h"

namespace avbench::media {

// The file is of no use: becomes a status and a message, never leaves this folder.
struct Unusable {
  FileStatus status;
  std::string message;
};

// Calls `work`; what the libraries could not do with a file is the file's fault. Only mistakes of
// the caller pass (std::out_of_range, std::invalid_argument).
template <class Work>
void with_status(Work work, FileStatus& status, std::string& message) {
  try {
    work();
    return;
  } catch (const Unusable& unusable) {
    status = unusable.status;
    message = unusable.message;
  } catch (const std::bad_alloc&) {
    status = FileStatus::kCorrupt;
    message = "it needs more memory than there is";
  } catch (const std::length_error&) {
    status = FileStatus::kCorrupt;
    message = "it needs more memory than there is";
  } catch (const std::runtime_error& error) {
    status = FileStatus::kCorrupt;
    message = error.what();
  }
}

// Counts the time that passes while it is asked often: of a gap, ten seconds at most, so that a
// process that was stopped for a while (Ctrl-Z, a suspended laptop) doesn't blame its file. Of one
// thread.
class Deadline {
 public:
  using Now = std::chrono::steady_clock::time_point (*)();
  explicit Deadline(double seconds, Now now = std::chrono::steady_clock::now);
  bool passed() const;
  void check() const;  // throws Unusable{kTimeout}

 private:
  double seconds_;
  Now now_;
  mutable std::chrono::steady_clock::time_point last_;
  mutable double spent_ = 0;
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

}  // namespace avbench::media
