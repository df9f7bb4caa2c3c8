// What became of one media file. Nothing is replaced in silence: every sample carries its status.
#pragma once

#include <string_view>

namespace avbench {

enum class FileStatus { kOk, kNoAudio, kTooShort, kCorrupt, kTimeout };

// "ok", "no_audio", "too_short", "corrupt", "timeout".
std::string_view to_string(FileStatus status);

// Throws UserError on any other word.
FileStatus status_from_string(std::string_view word);

}  // namespace avbench
