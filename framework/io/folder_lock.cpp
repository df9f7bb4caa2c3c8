#include "io/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <stdexcept>
#include <string>
#include <system_error>

#include "io/atomic_file.h"
#include "io/error.h"

namespace avbench::io {
namespace {

constexpr const char* kName = ".lock";

std::string this_process() {
  char host[HOST_NAME_MAX + 1] = "";
  ::gethostname(host, sizeof host - 1);
  return "process " + std::to_string(::getpid()) + " on " + host;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / kName;
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  const int locked = descriptor_ < 0 ? -1 : ::flock(descriptor_, LOCK_EX | LOCK_NB);
  if (locked != 0) {
    const int error = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    if (error == EWOULDBLOCK) {
      const std::string holder = read_file(file);
      throw UserError(folder.string() + " is in use by " +
                      (holder.empty() ? "another process" : holder) +
                      ". Wait until it has finished, or stop it.");
    }
    throw std::runtime_error("cannot lock " + file.string() + ": " +
                             std::generic_category().message(error));
  }
  // For the message of others only: what locks is the descriptor.
  const std::string text = this_process();
  if (::ftruncate(descriptor_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(descriptor_, text.data(), text.size(), 0);
  }
  remove_temporary_files(folder);
}

FolderLock::~FolderLock() {
  [[maybe_unused]] const int emptied = ::ftruncate(descriptor_, 0);
  ::close(descriptor_);
}

}  // namespace avbench::io
