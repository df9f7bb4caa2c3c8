#include "media/frame_plan.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace avbench::media {
namespace {

int64_t key_of_frame(const VideoIndex& index, int64_t frame_index) {
  if (index.counted) return frame_index;
  return index.by_decoding ? index.packets[frame_index] : index.pts[frame_index];
}

}  // namespace

std::vector<Target> gather_targets(const VideoIndex& index, const DecodeRequest& request) {
  std::vector<std::pair<int64_t, uint8_t*>> wanted;
  const size_t bytes = size_t(3) * request.height * request.width;
  for (const ClipRequest& clip : request.clips) {
    if (!clip.frame_indices.empty() && (request.height <= 0 || request.width <= 0 || !clip.out)) {
      throw std::invalid_argument("DecodeRequest: frames are wanted, but no size or no buffer");
    }
    for (size_t i = 0; i < clip.frame_indices.size(); ++i) {
      wanted.emplace_back(clip.frame_indices[i], clip.out + i * bytes);
    }
  }
  std::sort(wanted.begin(), wanted.end());
  std::vector<Target> targets;
  for (const auto& [frame_index, out] : wanted) {
    if (targets.empty() || targets.back().frame_index != frame_index) {
      if (frame_index < 0 || frame_index >= index.frames()) {
        throw std::out_of_range("DecodeRequest: frame " + std::to_string(frame_index) + " of " +
                                std::to_string(index.frames()));
      }
      targets.push_back({frame_index, key_of_frame(index, frame_index), {}});
    }
    targets.back().outs.push_back(out);
  }
  return targets;
}

std::vector<Span> group_targets(const VideoIndex& index, const std::vector<Target>& targets,
                                Start start) {
  std::vector<Span> spans;
  for (size_t i = 0; i < targets.size(); ++i) {
    const RandomAccessPoint* entry = nullptr;
    if (start == Start::kRandomAccess) {
      const auto after =
          std::upper_bound(index.entries.begin(), index.entries.end(), targets[i].frame_index,
                           [](int64_t frame_index, const RandomAccessPoint& point) {
                             return frame_index < point.frame_index;
                           });
      if (after != index.entries.begin()) entry = &*(after - 1);
    }
    const bool goes_on = i > 0 && targets[i].frame_index == targets[i - 1].frame_index + 1;
    if (spans.empty() || (spans.back().entry != entry && !goes_on)) spans.push_back({entry, i, i});
    spans.back().end = i + 1;
  }
  return spans;
}

}  // namespace avbench::media
