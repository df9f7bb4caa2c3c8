#include "media/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "media/ffmpeg.h"

namespace avbench::media {

Deadline::Deadline(double seconds, Now now) : seconds_(seconds), now_(now), last_(now()) {}

bool Deadline::passed() const {
  constexpr double kLongestGap = 10;
  const auto time = now_();
  spent_ += std::min(kLongestGap, std::chrono::duration<double>(time - last_).count());
  last_ = time;
  return spent_ > seconds_;
}

void Deadline::check() const {
  if (passed()) {
    throw Unusable{FileStatus::kTimeout, "not done after " + std::to_string(seconds_) + " seconds"};
  }
}

// Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
FileBytes::FileBytes(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat info {};
  if (descriptor_ < 0 || fstat(descriptor_, &info) != 0) {
    const int code = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    throw Unusable{FileStatus::kUnreadable, std::string("cannot be opened: ") + strerror(code)};
  }
  if (!S_ISREG(info.st_mode)) {
    ::close(descriptor_);
    throw Unusable{FileStatus::kUnreadable, "not a regular file; expected a video file"};
  }
  size_ = info.st_size;
}

FileBytes::~FileBytes() { ::close(descriptor_); }

int FileBytes::read(void* self, uint8_t* out, int bytes) {
  FileBytes& file = *static_cast<FileBytes*>(self);
  const int64_t wanted = std::min<int64_t>(bytes, file.size_ - file.position_);
  if (wanted <= 0) return AVERROR_EOF;
  ssize_t got;
  do {
    got = ::pread(file.descriptor_, out, wanted, file.position_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return AVERROR(errno);
  if (got == 0) {
    file.shrank_ = true;
    return AVERROR(EIO);
  }
  file.position_ += got;
  return static_cast<int>(got);
}

int64_t FileBytes::seek(void* self, int64_t offset, int whence) {
  FileBytes& file = *static_cast<FileBytes*>(self);
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return file.size_;
    case SEEK_SET:
      break;
    case SEEK_CUR:
      offset += file.position_;
      break;
    case SEEK_END:
      offset += file.size_;
      break;
    default:
      return AVERROR(EINVAL);
  }
  if (offset < 0) return AVERROR(EINVAL);
  return file.position_ = offset;
}

bool FileBytes::read_at(int64_t offset, void* out, size_t bytes) const {
  return ::pread(descriptor_, out, bytes, offset) == static_cast<ssize_t>(bytes);
}

}  // namespace avbench::media
