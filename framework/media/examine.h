// Decoding a whole file once, and correcting its index by what came out. Private to this folder.
#pragma once

#include <vector>

#include "media/decode_pass.h"

namespace avbench::media {

struct ExaminedFile {
  std::vector<float> audio;  // of the request
  bool reindexed = false;    // the index has other frames now: the request's are unspecified
};

// See MediaReader::examine(). Throws Unusable.
ExaminedFile examine_file(const Source& source, VideoIndex& index, const DecodeRequest& request,
                          Converters& converters);

}  // namespace avbench::media
