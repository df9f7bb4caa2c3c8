// One open of a file and one pass over its packets. Private to this folder.
#pragma once

#include <filesystem>
#include <vector>

#include "media/audio_track.h"
#include "media/decode_facts.h"
#include "media/frame_converter.h"
#include "media/frame_plan.h"
#include "media/reader.h"

namespace avbench::media {

struct Source {
  const std::filesystem::path& path;
  const DecodeLimits& limits;
  const Formats& formats;
};

struct Converters {
  FrameConverter frames;
  AudioConverter audio;
};

// The frames of `request`, into its buffers, and its audio. Throws Unusable, and SeekOvershoot with
// Start::kRandomAccess.
std::vector<float> decode(const Source& source, const VideoIndex& index,
                          const DecodeRequest& request, Converters& converters, Start start);

// The same while the whole file is decoded, damage passed over and `facts` gathered; the audio goes
// to the end of what comes out. FFmpeg first probes a file whose index is `by_decoding`.
std::vector<float> decode_all(const Source& source, const VideoIndex& index,
                              const DecodeRequest& request, Converters& converters, Facts& facts);

}  // namespace avbench::media
