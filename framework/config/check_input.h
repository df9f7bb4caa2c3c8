// How the keys that say what a clip and a spectrogram are fit each other.
#pragma once

#include <string>
#include <vector>

#include "config/clip_config.h"
#include "config/spectrogram_config.h"

namespace avbench::config {

struct KeyProblem {
  std::string key;   // "protocol.clip.crop"
  std::string what;  // "got 200, expected at most 128, ..."
};

std::vector<KeyProblem> input_problems(const ClipConfig& clip,
                                       const SpectrogramConfig& spectrogram);

// Throws UserError that lists them: for settings that are no experiment's.
void check_input(const ClipConfig& clip, const SpectrogramConfig& spectrogram);

}  // namespace avbench::config
