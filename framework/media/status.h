// What became of one media file. Nothing is replaced in silence: every sample carries its status.
#pragma once

#include <span>
#include <string_view>

namespace avbench::media {

enum class FileStatus {
  kOk,
  kDamaged,      // a few packets are damaged, concealed as FFmpeg does: used, counted and listed
  kNoAudio,      // no audio track
  kBeyondAudio,  // there is one, but it has nothing at the time of the sample
  kSilent,       // digital silence
  kNotFinite,    // NaN, infinite or absurdly large audio samples
  kTooShort,     // fewer frames than a clip needs
  kCorrupt,
  kUnsupported,  // a container or codec that is not opened
  kUnreadable,   // no such file, no regular one, or no permission
  kTimeout,
};

// "ok", "damaged", "no_audio", "beyond_audio", "silent", "not_finite", "too_short", "corrupt",
// "unsupported", "unreadable", "timeout".
std::string_view to_string(FileStatus status);

std::span<const FileStatus> all_statuses();

}  // namespace avbench::media
