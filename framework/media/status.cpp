#include "media/status.h"

#include <array>

namespace avbench::media {
namespace {

constexpr std::array kStatuses{
    FileStatus::kOk,          FileStatus::kDamaged, FileStatus::kNoAudio,
    FileStatus::kBeyondAudio, FileStatus::kSilent,  FileStatus::kNotFinite,
    FileStatus::kTooShort,    FileStatus::kCorrupt, FileStatus::kUnsupported,
    FileStatus::kUnreadable,  FileStatus::kTimeout};

}  // namespace

std::string_view to_string(FileStatus status) {
  switch (status) {
    case FileStatus::kOk:
      return "ok";
    case FileStatus::kDamaged:
      return "damaged";
    case FileStatus::kNoAudio:
      return "no_audio";
    case FileStatus::kBeyondAudio:
      return "beyond_audio";
    case FileStatus::kSilent:
      return "silent";
    case FileStatus::kNotFinite:
      return "not_finite";
    case FileStatus::kTooShort:
      return "too_short";
    case FileStatus::kCorrupt:
      return "corrupt";
    case FileStatus::kUnsupported:
      return "unsupported";
    case FileStatus::kUnreadable:
      return "unreadable";
    case FileStatus::kTimeout:
      return "timeout";
  }
  return "";
}

std::span<const FileStatus> all_statuses() { return kStatuses; }

}  // namespace avbench::media
