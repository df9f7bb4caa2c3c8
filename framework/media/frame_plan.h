// Which frames a request wants, and from where they are decoded. Private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "media/reader.h"
#include "media/video_index.h"

namespace avbench::media {

// One frame that somebody wants.
struct Target {
  int64_t frame_index;
  int64_t key;  // of its packet: its time or its number
  std::vector<uint8_t*> outs;
  bool filled = false;
};

// Targets that are decoded from the same random access point.
struct Span {
  const RandomAccessPoint* entry;  // null: from the first packet on
  size_t begin, end;               // of the targets
};

enum class Start {
  kRandomAccess,  // at the nearest random access points
  kFirstPacket,   // without relying on any
};

// The seek led behind the place that was wanted, or could not be made: to be repeated from the
// first packet on.
struct SeekOvershoot {};

// By frame index, each once. Throws std::out_of_range, and std::invalid_argument if frames are
// wanted without a size or a buffer.
std::vector<Target> gather_targets(const VideoIndex& index, const DecodeRequest& request);

// Neighbours that go on from one random access point to the next stay together: no frame lies
// between.
std::vector<Span> group_targets(const VideoIndex& index, const std::vector<Target>& targets,
                                Start start);

}  // namespace avbench::media
