#include "media/video_scan.h"

#include <algorithm>

namespace avbench::media {

VideoScan::VideoScan(const Input& input, const VideoIndex& index, FrameTargets& targets,
                     Facts& facts)
    : targets_(targets), facts_(facts) {
  AVStream* const stream = input.video();
  if (!stream) {
    if (!targets.empty()) input.fail(AVERROR_STREAM_NOT_FOUND, "no video");
    return;
  }
  // A decoder that knows how far frames are reordered needs no guess, which may drop the first.
  AVCodecParameters& codec = *stream->codecpar;
  facts.reorder = std::max<int64_t>(codec.video_delay, index.reorder);
  codec.video_delay = static_cast<int>(facts.reorder);
  decoder_.emplace(input, *stream, true);
}

void VideoScan::on_packet(AVPacket& packet) {
  const auto number = static_cast<int64_t>(facts_.pts.size());
  facts_.pts.push_back(packet.pts);
  facts_.dts.push_back(packet.dts);
  // A recording may begin between two key frames: what is missing before the first is no damage.
  if (packet.flags & AV_PKT_FLAG_KEY) decoder_->note_damage_in(facts_.damaged_video);
  if (packet.flags & AV_PKT_FLAG_CORRUPT) decoder_->note_damage(number);
  if (packet.size == 0) return;
  packet.pts = number;
  decoder_->set_packet_number(number);
  decoder_->send(&packet);
  receive_frames();
}

void VideoScan::receive_frames() {
  while (const AVFrame* frame = decoder_->receive()) {
    const auto packets = static_cast<int64_t>(facts_.pts.size());
    const bool known = frame->pts >= 0 && frame->pts < packets;
    const auto frame_index = static_cast<int64_t>(facts_.shown.size());
    facts_.shown.push_back(known ? frame->pts : Facts::kUnknown);
    targets_.fill_in_order(frame_index, *frame);
  }
}

void VideoScan::finish() {
  if (done()) return;
  decoder_->send(nullptr);
  receive_frames();
  decoder_.reset();
}

}  // namespace avbench::media
