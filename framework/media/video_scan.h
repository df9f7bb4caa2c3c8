// The video of a file that is decoded as a whole. Private to this folder.
#pragma once

#include <optional>

#include "media/decode_facts.h"
#include "media/decoder.h"
#include "media/frame_targets.h"
#include "media/input.h"

namespace avbench::media {

// Decodes all packets and notes what comes out, damage included.
class VideoScan {
 public:
  // Keeps the references. Throws Unusable.
  VideoScan(const Input& input, const VideoIndex& index, FrameTargets& targets, Facts& facts);

  bool done() const { return !decoder_; }  // no packet is waited for
  bool takes(const AVPacket& packet) const { return decoder_ && decoder_->takes(packet); }
  // Changes the packet's time. Throws Unusable.
  void on_packet(AVPacket& packet);
  // No packets follow.
  void finish();

 private:
  void receive_frames();

  FrameTargets& targets_;
  Facts& facts_;
  std::optional<Decoder> decoder_;  // nothing once done
};

}  // namespace avbench::media
