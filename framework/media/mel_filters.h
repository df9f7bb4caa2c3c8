// Triangular filters on a mel scale as sparse rows. Private to this folder.
#pragma once

#include <vector>

#include "media/log_mel.h"

namespace avbench::media {

// Weights of the bins first, first + 1, ... of a power spectrum; zero elsewhere.
struct MelBand {
  int first = 0;
  std::vector<float> weights;
};

// Edges evenly spaced in mel: HTK's 2595 log10(1 + f / 700), or Slaney's (Auditory Toolbox, 1998),
// linear up to 1000 Hz and logarithmic above. Bands in which no bin lies have no weights.
std::vector<MelBand> mel_bands(const LogMelParams& params, int n_fft);

// `count` bands, each one bin.
std::vector<MelBand> single_bins(int count);

}  // namespace avbench::media
