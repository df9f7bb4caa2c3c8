// What the FFmpeg that avbench runs with can do.
#pragma once

#include <string>
#include <vector>

namespace avbench::media {

struct MediaLibrary {
  std::string name;      // "libavcodec"
  std::string compiled;  // version of the headers
  std::string running;   // version of the library that is loaded
};

// Versions whose first number differs would not have been loaded; others may differ harmlessly.
std::vector<MediaLibrary> media_libraries();

// "LGPL version 2.1 or later", "GPL version 2 or later", ...
std::string media_license();

// The allowed containers and codecs (formats.h) that this FFmpeg cannot read, e.g.
// "hevc".
std::vector<std::string> missing_formats();

// Whether videos can be written (`dataset synth`): H.264 and AAC encoders.
std::vector<std::string> missing_encoders();

}  // namespace avbench::media
