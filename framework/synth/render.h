// A scene as pixels and as a waveform.
#pragma once

#include <cstdint>
#include <vector>

#include "synth/scene.h"

namespace avbench::synth {

int frame_count(const SynthOptions& options);

// RGB24, rows top to bottom: frame_count * height * width * 3 bytes.
std::vector<uint8_t> render_frames(const SynthOptions& options, const Scene& scene);

// Mono at kSynthSampleRate, within [-1, 1].
std::vector<float> render_audio(const SynthOptions& options, const Scene& scene);

}  // namespace avbench::synth
