#include "media/video_pass.h"

namespace avbench::media {

VideoPass::VideoPass(Input& input, const VideoIndex& index, FrameTargets& targets, Start start)
    : index_(index),
      targets_(targets),
      start_(start),
      stream_(input.video()),
      position_(input),
      spans_(group_targets(index, targets.all(), start)) {
  if (targets.empty()) {
    if (stream_) stream_->discard = AVDISCARD_ALL;
    return;
  }
  if (!stream_) input.fail(AVERROR_STREAM_NOT_FOUND, "no video");
  // A decoder that knows how far frames are reordered needs no guess, which may drop the first.
  stream_->codecpar->video_delay = static_cast<int>(index.reorder);
  // Damage that the index knows of is concealed; so are frames before the first that can be
  // decoded.
  decoder_.emplace(input, *stream_, index.by_decoding);
}

bool VideoPass::on_packet(AVPacket& packet) {
  if (!position_.locate(packet)) return false;
  const bool entered = enter_span();
  // What a packet, and the frame that comes out of it, are known by: the time, if that tells them
  // apart, else the packet's number.
  const int64_t key = index_.by_decoding ? position_.number() : packet.pts;
  position_.advance();
  if (!entered) return false;
  const bool shown = !(packet.flags & AV_PKT_FLAG_DISCARD);
  const bool wanted = index_.counted || (shown && targets_.has_key(key));
  // What no other frame refers to need not be decoded for itself. A frame may have two packets,
  // one for each field, where packets do not tell the frames.
  decoder_->skip_unreferenced(!wanted && !index_.by_decoding);
  packet.pts = key;
  decoder_->send(&packet);
  receive_frames();
  if (wanted && !index_.counted) --unsent_;
  return span_is_complete(wanted) && end_span();
}

// False before the packet that the span is decoded from.
bool VideoPass::enter_span() {
  if (feeding_) {
    join_next_span();
    return true;
  }
  const Span& span = spans_[span_];
  if (span.entry && position_.number() != span.entry->packet) return false;
  feeding_ = true;
  unsent_ = index_.counted ? 0 : targets_in(span);
  return true;
}

// Its random access point has come while frames that are shown before it have not: decoding goes
// on.
void VideoPass::join_next_span() {
  if (span_ + 1 == spans_.size()) return;
  const Span& next = spans_[span_ + 1];
  if (!next.entry || position_.number() < next.entry->packet) return;
  unsent_ += targets_in(next);
  spans_[span_].end = next.end;
  spans_.erase(spans_.begin() + static_cast<ptrdiff_t>(span_) + 1);
}

// What a decoder holds back need not wait for further packets, if these are known to give their
// frames each.
bool VideoPass::drains_early() const {
  return start_ == Start::kRandomAccess && !index_.by_decoding;
}

bool VideoPass::span_is_complete(bool wanted) {
  if (unsent_ > 0) return false;
  return drains_early() ? wanted : targets_.are_filled(spans_[span_].end);
}

// All packets of the span are in: what the decoder holds back comes out without further ones.
bool VideoPass::end_span() {
  if (drains_early()) drain();
  if (++span_ == spans_.size()) {
    stop();
    return false;
  }
  decoder_->restart();
  feeding_ = false;
  return true;
}

void VideoPass::receive_frames() {
  while (const AVFrame* frame = decoder_->receive()) {
    targets_.fill_key(index_.counted ? counted_++ : frame->pts, *frame);
  }
}

void VideoPass::drain() {
  decoder_->skip_unreferenced(false);
  decoder_->send(nullptr);
  receive_frames();
}

void VideoPass::finish() {
  if (done()) return;
  if (!position_.known()) throw SeekOvershoot{};
  drain();
  stop();
}

void VideoPass::stop() {
  decoder_.reset();
  stream_->discard = AVDISCARD_ALL;  // not even read any more
}

}  // namespace avbench::media
