// The towers a run starts from: drawn from the seed, or loaded from weights made elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "avbench/towers.h"
#include "config/encoder_config.h"

namespace avbench::stages {

// make_towers(), then, if config.init names a safetensors file, its tensors in place of the drawn
// ones for the towers that config.init_towers names. Names are those of docs/checkpoints.md; a file
// of one tower may leave out the prefix "towers.video.". Throws UserError that lists every tensor
// of these towers that is missing, unexpected, or of another shape or type; nothing is loaded then.
// Tensors of no chosen tower are ignored, with a message that names them.
std::shared_ptr<Towers> initial_towers(const config::EncoderConfig& config, uint64_t seed,
                                       int64_t audio_channels = 3);

// SHA-256 of the file config.init; empty if there is none.
std::string init_hash(const config::EncoderConfig& config);

}  // namespace avbench::stages
