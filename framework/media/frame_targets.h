// The frames that a request wants, and its buffers. Private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "media/frame_converter.h"
#include "media/frame_plan.h"

namespace avbench::media {

// Each frame is found by its index or by its packet's key, and filled once.
class FrameTargets {
 public:
  // Keeps the references. Throws as gather_targets() does.
  FrameTargets(const VideoIndex& index, const DecodeRequest& request, FrameConverter& converter);

  const std::vector<Target>& all() const { return targets_; }  // by frame index
  bool empty() const { return targets_.empty(); }
  bool has_key(int64_t key) const { return find_key(key) < targets_.size(); }
  bool are_filled(size_t end);  // the first `end` of them

  // Into the buffers of the frame whose packet has this key, if it is wanted. Throws Unusable.
  void fill_key(int64_t key, const AVFrame& frame);
  // Into those of frame `frame_index`, if it is wanted, when all frames come in order.
  void fill_in_order(int64_t frame_index, const AVFrame& frame);

  void require_all() const;  // throws Unusable if one is not filled

 private:
  size_t find_key(int64_t key) const;  // number of the target; targets_.size() if there is none
  void fill(Target& target, const AVFrame& frame);

  const VideoIndex& index_;
  const DecodeRequest& request_;
  FrameConverter& converter_;
  std::vector<Target> targets_;
  std::vector<size_t> by_key_;  // numbers of targets, by key
  size_t first_unfilled_ = 0;   // those before it are filled
  size_t next_ = 0;             // that comes next when all frames come in order
};

}  // namespace avbench::media
