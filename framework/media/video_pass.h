// The wanted frames of one pass over a file. Private to this folder.
#pragma once

#include <optional>
#include <vector>

#include "media/decoder.h"
#include "media/frame_plan.h"
#include "media/frame_targets.h"
#include "media/input.h"
#include "media/video_position.h"

namespace avbench::media {

// Decodes span by span: from each span's random access point until its frames have come.
class VideoPass {
 public:
  // Keeps the references. Throws Unusable.
  VideoPass(Input& input, const VideoIndex& index, FrameTargets& targets, Start start);

  bool done() const { return !decoder_; }  // no packet is waited for
  bool takes(const AVPacket& packet) const { return decoder_ && decoder_->takes(packet); }
  // Where the current span is decoded from; null: from the first packet on. Not once done.
  const RandomAccessPoint* span_entry() const { return spans_[span_].entry; }

  // False if the point does not lie ahead, and nothing is done. Throws SeekOvershoot.
  bool seek_to(const RandomAccessPoint& point) { return position_.seek_to(point); }
  // True if the packet ends a span and another one follows. Changes the packet's time. Throws
  // Unusable, and SeekOvershoot.
  bool on_packet(AVPacket& packet);
  // No packets follow.
  void finish();

 private:
  bool enter_span();
  void join_next_span();
  size_t targets_in(const Span& span) const { return span.end - span.begin; }
  bool span_is_complete(bool wanted);
  bool end_span();
  bool drains_early() const;
  void receive_frames();
  void drain();
  void stop();

  const VideoIndex& index_;
  FrameTargets& targets_;
  const Start start_;
  AVStream* const stream_;          // null if the file has none
  std::optional<Decoder> decoder_;  // nothing once done
  VideoPosition position_;
  std::vector<Span> spans_;
  size_t span_ = 0;
  bool feeding_ = false;  // the span's entry has been seen
  size_t unsent_ = 0;     // packets of targets of this span
  int64_t counted_ = 0;   // frames that came out, if they are counted
};

}  // namespace avbench::media
