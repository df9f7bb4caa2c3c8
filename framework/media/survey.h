// What the packets of a file say, without decoding them. Private to this folder.
#pragma once

#include "media/decode_pass.h"
#include "media/video_index.h"

namespace avbench::media {

// Demuxes the whole file into `index`: frames, random access points, extent of the audio. Sets
// index.by_decoding, and leaves the frames open, if packets do not tell the frames: time stamps are
// missing or repeated, or the file begins between two key frames. Throws Unusable.
void survey_file(const Source& source, VideoIndex& index);

}  // namespace avbench::media
