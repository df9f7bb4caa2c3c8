// Which of the two towers, or of what they see.
#pragma once

#include <array>

#include "config/choice.h"

namespace avbench::config {

enum class Modalities { kBoth, kVideo, kAudio };
constexpr auto words(Modalities) {
  using enum Modalities;
  return std::array{Word{kBoth, "both"}, Word{kVideo, "video"}, Word{kAudio, "audio"}};
}

}  // namespace avbench::config
