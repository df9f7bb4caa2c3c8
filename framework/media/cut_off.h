// Whether the end of a file is missing, by what its container says of its own length. FFmpeg takes
// such a file for a shorter one where it can. Private to this folder.
#pragma once

#include <string>

#include "media/file_bytes.h"

namespace avbench::media {

// Throws Unusable{kCorrupt} if a part of the file, by its declared size, goes on behind the end.
// `demuxer`: FFmpeg's name of the container. Files whose writer left the size open pass, and so do
// containers without any (MPEG program streams), and bytes behind the end that are no part of it.
void require_whole(const FileBytes& file, const std::string& demuxer, const Deadline& deadline);

}  // namespace avbench::media
