#include "media/audio_pass.h"

#include <algorithm>
#include <limits>

#include "media/frame_plan.h"
#include "media/random_access.h"

namespace avbench::media {
namespace {

// Decoded before the wanted audio begins: overlapping windows and predictions need what precedes.
constexpr double kPrerollSeconds = 0.5;
constexpr int kLatePackets = 8;

double seconds_of(const AVPacket& packet, const AVStream& stream) {
  if (packet.duration > 0) return static_cast<double>(packet.duration) * av_q2d(stream.time_base);
  const int samples = av_get_audio_frame_duration2(stream.codecpar, packet.size);
  return samples > 0 ? static_cast<double>(samples) / stream.codecpar->sample_rate : 0;
}

}  // namespace

AudioPass::AudioPass(const Input& input, const VideoIndex& index, const DecodeRequest& request,
                     AudioConverter& converter, double longest, Facts* facts)
    : index_(index),
      rate_(request.sample_rate),
      converter_(converter),
      facts_(facts),
      stream_(input.audio()) {
  if (!is_wanted(request)) {
    if (stream_) stream_->discard = AVDISCARD_ALL;
    return;
  }
  if (!stream_) input.fail(AVERROR_STREAM_NOT_FOUND, "no audio");
  decoder_.emplace(input, *stream_, facts || index.damaged_audio_packets > 0);
  if (facts) decoder_->note_damage_in(facts->damaged_audio);
  const auto [first, last] = request.segment;
  double end = facts ? std::numeric_limits<double>::infinity() : index.audio_end();
  if (last >= 0) end = std::min(end, last);
  begin_ = index.origin + first;
  end_ = index.origin + end;
  if (rate_ > 0 && index.has_audio) track_.emplace(begin_, end_, longest);
}

bool AudioPass::is_wanted(const DecodeRequest& request) const {
  if (facts_) return stream_ != nullptr;
  return request.sample_rate > 0 && index_.has_audio;
}

double AudioPass::decodes_from() const { return begin_ - kPrerollSeconds; }

void AudioPass::on_packet(const AVPacket& packet) {
  if (facts_) {
    const int64_t number = facts_->audio_packets++;
    decoder_->set_packet_number(number);
    if (packet.flags & AV_PKT_FLAG_CORRUPT) decoder_->note_damage(number);
  } else if (!is_due(packet)) {
    return;
  }
  if (packet.size == 0) return;
  decoder_->send(&packet);
  receive_pieces();
}

// False if the packet's audio is not needed; ends the track behind the wanted part.
bool AudioPass::is_due(const AVPacket& packet) {
  if (packet.pts == AV_NOPTS_VALUE) return begun_ || !seeked_;
  const double begin = static_cast<double>(packet.pts) * av_q2d(stream_->time_base);
  if (begin >= end_) {
    // One stray time does not end the track.
    if (++late_packets_ > kLatePackets) finish();
    return false;
  }
  late_packets_ = 0;
  const double from = decodes_from();
  if (seeked_ && !begun_ &&
      begin > std::max(from, index_.origin + index_.audio_start) + kPrerollSeconds / 2) {
    throw SeekOvershoot{};
  }
  begun_ = true;
  return begin + seconds_of(packet, *stream_) >= from || needs_all_packets(*stream_->codecpar);
}

void AudioPass::receive_pieces() {
  while (const AVFrame* frame = decoder_->receive()) {
    piece_.samples.clear();
    converter_.downmix(*frame, piece_.samples);
    piece_.rate = frame->sample_rate;
    piece_.begin.reset();
    if (frame->pts != AV_NOPTS_VALUE) {
      piece_.begin = static_cast<double>(frame->pts) * av_q2d(stream_->time_base);
    }
    if (facts_) facts_->audio.add(piece_);
    if (track_) track_->add(piece_);
  }
}

void AudioPass::finish() {
  if (done()) return;
  decoder_->send(nullptr);
  receive_pieces();
  decoder_.reset();
  stream_->discard = AVDISCARD_ALL;  // not even read any more
}

std::vector<float> AudioPass::take_track() {
  if (!track_) return {};
  return track_->finish(converter_, rate_, facts_ ? audio_extent(index_, *facts_).end : end_);
}

}  // namespace avbench::media
