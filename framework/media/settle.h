// The index of a file by what came out of the decoder. Private to this folder.
#pragma once

#include "media/decode_facts.h"
#include "media/video_index.h"

namespace avbench::media {

// Whether the index has exactly the frames that came out of the decoder, without any damage.
bool agrees(const VideoIndex& index, const Facts& facts);

// Frames by what came out of the decoder.
void settle_frames(const Facts& facts, VideoIndex& index);

// Extent, silence and damage of the audio, and the damage of the video, by what came out.
void settle_examination(const Facts& facts, VideoIndex& index);

// The status by what the index says.
void settle_status(const DecodeLimits& limits, VideoIndex& index);

}  // namespace avbench::media
