#include "io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "io/error.h"

namespace avbench::io {
namespace {

constexpr const char* kTemporary = ".tmp";

std::string reason() { return std::generic_category().message(errno); }

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// After this, a rename in the folder outlives a power failure. Some file systems have no such call.
bool sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL;
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return synced;
}

void refuse_taken(const std::filesystem::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  throw UserError("cannot write " + path.string() + ": it is a " +
                  (S_ISDIR(status.st_mode) ? "folder" : "device or pipe") + ", expected a file");
}

template <class Buffer>
Buffer read_whole(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw UserError("cannot read " + path.string() + ": " + reason());
  struct stat status;
  const bool sized = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  Buffer buffer(sized ? static_cast<size_t>(status.st_size) + 1 : 65536,
                typename Buffer::value_type{});
  size_t size = 0;
  ssize_t got;
  while ((got = ::read(descriptor, buffer.data() + size, buffer.size() - size)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    size += static_cast<size_t>(got);
    if (size == buffer.size()) buffer.resize(2 * size);
  }
  const std::string why = got < 0 ? reason() : "";
  ::close(descriptor);
  if (!why.empty()) throw UserError("cannot read " + path.string() + ": " + why);
  buffer.resize(size);
  return buffer;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  refuse_taken(path_);
  std::string stem = folder_of(path_) / ".";
  stem += path_.filename().string() + ".";
  for (int attempt = 0; descriptor_ < 0; ++attempt) {
    temporary_ = stem + std::to_string(::getpid()) + "-" + std::to_string(attempt) + kTemporary;
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0 || errno == EEXIST) continue;
    if (errno == ENOENT) {
      throw UserError("cannot write " + path_.string() + ": the folder " +
                      folder_of(path_).string() + " does not exist");
    }
    fail("create");
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write");
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("sync");
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail("close");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename to");
  temporary_.clear();
  if (!sync_folder(folder_of(path_))) fail("sync the folder of");
}

void AtomicFile::fail(const char* action) const {
  throw std::runtime_error(std::string("cannot ") + action + " " + path_.string() + ": " +
                           reason());
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

void remove_temporary_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool temporary = name.starts_with('.') && name.ends_with(kTemporary);
    if (temporary && entry.is_regular_file()) left.push_back(entry.path());
  }
  for (const auto& file : left) std::filesystem::remove(file);
}

std::string read_file(const std::filesystem::path& path) { return read_whole<std::string>(path); }

std::vector<std::byte> read_bytes(const std::filesystem::path& path) {
  return read_whole<std::vector<std::byte>>(path);
}

}  // namespace avbench::io
