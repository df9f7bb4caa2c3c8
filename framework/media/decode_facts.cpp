#include "media/decode_facts.h"

#include <algorithm>

namespace avbench::media {

Interval audio_extent(const VideoIndex& index, const Facts& facts) {
  Interval extent{facts.audio.begin(), facts.audio.end()};
  if (index.container.starts_with("mov,")) {
    extent.begin = std::max(extent.begin, index.origin + index.audio_start);
    extent.end = std::min(extent.end, index.origin + index.audio_end());
  }
  return extent;
}

}  // namespace avbench::media
