#include "media/status.h"

#include <array>
#include <string>

#include "io/error.h"

namespace avbench {
namespace {

constexpr std::array<std::string_view, 5> kWords{"ok", "no_audio", "too_short", "corrupt",
                                                 "timeout"};

}  // namespace

std::string_view to_string(FileStatus status) { return kWords[static_cast<size_t>(status)]; }

FileStatus status_from_string(std::string_view word) {
  for (size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == word) return static_cast<FileStatus>(i);
  }
  throw UserError("unknown file status '" + std::string(word) +
                  "'; known: ok, no_audio, too_short, corrupt, timeout");
}

}  // namespace avbench
