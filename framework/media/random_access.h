// What packets tell without being decoded. Private to this folder.
#pragma once

#include "media/ffmpeg.h"

namespace avbench::media {

// Whether decoding can start here with nothing known, so that this frame, and all that are shown
// after it, are those of a decoder that began with the first packet. The container's key flag says
// less: it also marks recovery points, after which frames that were decoded before may be missing.
bool is_random_access_point(const AVPacket& packet, const AVCodecParameters& codec);

// False for a packet that by its own head gives no frame: VP8's alternate reference frames.
bool shows_frame(const AVPacket& packet, const AVCodecParameters& codec);

// Whether the audio can only be decoded from the file's first packet on: DVD's uncompressed audio
// is stored in blocks that go on from packet to packet, and nothing tells where one begins.
bool needs_all_packets(const AVCodecParameters& codec);

}  // namespace avbench::media
