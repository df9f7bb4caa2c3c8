#include "media/frame_targets.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

#include "media/file_bytes.h"

namespace avbench::media {

FrameTargets::FrameTargets(const VideoIndex& index, const DecodeRequest& request,
                           FrameConverter& converter)
    : index_(index),
      request_(request),
      converter_(converter),
      targets_(gather_targets(index, request)),
      by_key_(targets_.size()) {
  std::iota(by_key_.begin(), by_key_.end(), 0);
  std::sort(by_key_.begin(), by_key_.end(),
            [&](size_t a, size_t b) { return targets_[a].key < targets_[b].key; });
}

size_t FrameTargets::find_key(int64_t key) const {
  const auto found =
      std::lower_bound(by_key_.begin(), by_key_.end(), key,
                       [&](size_t i, int64_t value) { return targets_[i].key < value; });
  return found != by_key_.end() && targets_[*found].key == key ? *found : targets_.size();
}

bool FrameTargets::are_filled(size_t end) {
  while (first_unfilled_ < targets_.size() && targets_[first_unfilled_].filled) ++first_unfilled_;
  return first_unfilled_ >= end;
}

void FrameTargets::fill_key(int64_t key, const AVFrame& frame) {
  const size_t target = find_key(key);
  if (target < targets_.size()) fill(targets_[target], frame);
}

void FrameTargets::fill_in_order(int64_t frame_index, const AVFrame& frame) {
  if (next_ < targets_.size() && targets_[next_].frame_index == frame_index) {
    fill(targets_[next_++], frame);
  }
}

void FrameTargets::fill(Target& target, const AVFrame& frame) {
  if (target.filled) return;
  const size_t bytes = size_t(3) * request_.height * request_.width;
  const Orientation orientation{static_cast<int>(index_.rotation), index_.mirrored};
  if (!converter_.convert(frame, orientation, request_.height, request_.width,
                          target.outs.front())) {
    throw Unusable{FileStatus::kCorrupt, "a pixel format that cannot be converted"};
  }
  for (size_t i = 1; i < target.outs.size(); ++i) {
    std::memcpy(target.outs[i], target.outs.front(), bytes);
  }
  target.filled = true;
}

void FrameTargets::require_all() const {
  for (const Target& target : targets_) {
    if (!target.filled) {
      throw Unusable{FileStatus::kCorrupt, "frame " + std::to_string(target.frame_index) + " of " +
                                               std::to_string(index_.frames()) +
                                               " cannot be decoded"};
    }
  }
}

}  // namespace avbench::media
