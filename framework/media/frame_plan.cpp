#include "media/frame_plan.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace avbench {
namespace {

int64_t key_of_frame(const VideoIndex& index, int64_t rank) {
  if (index.counted) return rank;
  return index.by_decoding ? index.packets[rank] : index.pts[rank];
}

}  // namespace

std::vector<Target> gather_targets(const VideoIndex& index, const DecodeRequest& request) {
  std::vector<std::pair<int64_t, uint8_t*>> wanted;
  const size_t bytes = size_t(3) * request.height * request.width;
  for (const ClipRequest& clip : request.clips) {
    if (!clip.ranks.empty() && (request.height <= 0 || request.width <= 0 || !clip.out)) {
      throw std::invalid_argument("DecodeRequest: frames are wanted, but no size or no buffer");
    }
    for (size_t i = 0; i < clip.ranks.size(); ++i) {
      wanted.emplace_back(clip.ranks[i], clip.out + i * bytes);
    }
  }
  std::sort(wanted.begin(), wanted.end());
  std::vector<Target> targets;
  for (const auto& [rank, out] : wanted) {
    if (targets.empty() || targets.back().rank != rank) {
      if (rank < 0 || rank >= index.frames()) {
        throw std::out_of_range("DecodeRequest: frame " + std::to_string(rank) + " of " +
                                std::to_string(index.frames()));
      }
      targets.push_back({rank, key_of_frame(index, rank), {}});
    }
    targets.back().outs.push_back(out);
  }
  return targets;
}

std::vector<Span> group_targets(const VideoIndex& index, const std::vector<Target>& targets,
                                Start start) {
  std::vector<Span> spans;
  for (size_t i = 0; i < targets.size(); ++i) {
    const EntryPoint* entry = nullptr;
    if (start == Start::kEntry) {
      const auto after =
          std::upper_bound(index.entries.begin(), index.entries.end(), targets[i].rank,
                           [](int64_t rank, const EntryPoint& point) { return rank < point.rank; });
      if (after != index.entries.begin()) entry = &*(after - 1);
    }
    const bool goes_on = i > 0 && targets[i].rank == targets[i - 1].rank + 1;
    if (spans.empty() || (spans.back().entry != entry && !goes_on)) spans.push_back({entry, i, i});
    spans.back().end = i + 1;
  }
  return spans;
}

}  // namespace avbench
