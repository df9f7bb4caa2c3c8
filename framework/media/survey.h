// What the packets of a file say, without decoding them. Private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "media/decode_pass.h"
#include "media/video_index.h"

namespace avbench {

// Demuxes the whole file into `index`: frames, entry points, extent of the sound. Sets
// index.by_decoding, and leaves the frames open, if packets do not tell the frames: time stamps are
// missing or repeated, or the file begins between two key frames. Throws Unusable.
void survey_file(const Source& source, VideoIndex& index);

// Whether the index has exactly the frames that came out of the decoder, without any damage.
bool agrees(const VideoIndex& index, const Facts& facts);

// Frames by what came out of the decoder.
void settle_frames(const Facts& facts, VideoIndex& index);

// Extent, silence and damage of the sound, and the damage of the picture, by what came out.
void settle_examination(const Facts& facts, VideoIndex& index);

// The status by what the index says.
void settle_status(const Budget& budget, VideoIndex& index);

}  // namespace avbench
