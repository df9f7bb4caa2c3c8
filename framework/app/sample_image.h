// The image that `avbench sample --png` draws, for a person to look at.
#pragma once

#include <filesystem>
#include <utility>

#include "avbench/batch.h"
#include "config/experiment.h"
#include "data/sampling.h"

namespace avbench::app {

// What the networks see of one sample, and where in the file it lies.
struct SampleImage {
  Tensor video;                          // [3, T, H, W] in [0, 1]
  Tensor audio;                          // [3 or 1, T or 1, H, W] in [0, 1]
  double first_second = 0;               // of the clip's first frame
  double seconds_a_frame = 0;            // from one frame of the clip to the next
  std::pair<double, double> audio_span;  // seconds that the uncropped spectrogram covers
  data::Crop audio_crop;                 // in the resized spectrogram
};

// Frames in rows of at most eight, each with its time in seconds; below them the spectrogram, with
// high frequencies on top, its times in seconds and, but for raw audio, its frequencies in Hz.
// Everything small is enlarged by an integer factor, pixel by pixel.
void write_sample_image(const std::filesystem::path& path, const SampleImage& sample,
                        const config::SpectrogramConfig& spectrogram);

}  // namespace avbench::app
