// Triangular filters on the HTK mel scale as sparse rows. Private to this folder.
#pragma once

#include <vector>

#include "media/log_mel.h"

namespace avbench {

// Weights of the bins first, first + 1, ... of a power spectrum; zero elsewhere.
struct MelBand {
  int first = 0;
  std::vector<float> weights;
};

// Heights 1 (no norm), edges evenly spaced in mel = 2595 log10(1 + f / 700). Bands in which no bin
// lies have no weights.
std::vector<MelBand> mel_bands(const LogMelParams& params, int n_fft);

}  // namespace avbench
