// Whether decoding can start at a packet. Private to this folder.
#pragma once

#include "media/ffmpeg.h"

namespace avbench {

// The container's key flag says less: it also marks recovery points, after which frames that were
// decoded before may be missing.
bool is_entry(const AVPacket& packet, const AVCodecParameters& codec);

}  // namespace avbench
