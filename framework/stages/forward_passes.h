// How often a method runs the encoders: what its time is mostly made of.
#pragma once

#include <cstdint>
#include <string>

#include "config/protocol_config.h"
#include "plugin/load.h"

namespace avbench::stages {

// Passes of a clip or a spectrogram through an encoder, momentum encoders included, per sample of a
// training step. Counted in one loss of the protocol's batch size on random input through small
// towers, so that what the method refuses is refused here, and so is a loss that is not valid
// (see loss_graph.h); `where` is for the message.
double forward_passes(const plugin::LoadedPlugin& plugin, const Params& params,
                      const config::ProtocolConfig& protocol, int64_t train_size,
                      const std::string& where);

}  // namespace avbench::stages
