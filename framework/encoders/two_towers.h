// The video and the audio encoder of one model.
#pragma once

#include <cstdint>
#include <memory>

#include "avbench/towers.h"
#include "config/encoder_config.h"

namespace avbench::encoders {

// Two encoders, children "video" and "audio". Their initial weights depend on `seed` and the
// architecture alone; the default CPU generator is left as it was found. With config.shared both
// use the parameters registered under "video", and each keeps batch-norm statistics of its own.
// `audio_channels` of the spectrograms: the video tower's input has three.
std::shared_ptr<Towers> make_towers(const config::EncoderConfig& config, uint64_t seed,
                                    int64_t audio_channels = 3);

}  // namespace avbench::encoders
