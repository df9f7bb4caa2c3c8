// Limits on what one untrusted file may cost.
#pragma once

#include <cstdint>

namespace avbench::media {

struct DecodeLimits {
  double seconds = 60;  // wall clock for one call; beyond it the status is kTimeout
  int64_t file_bytes = int64_t{1} << 33;
  int64_t pixels = int64_t{1} << 25;  // of one frame
  int64_t packets = 4'000'000;        // of all streams of one pass
  int64_t frames = 1'000'000;         // displayable frames
  double audio_seconds = 4 * 3600;    // of decoded audio
  int64_t probe_bytes = 1 << 20;      // read to guess the format and missing parameters
  int streams = 16;
};

}  // namespace avbench::media
