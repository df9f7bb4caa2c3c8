#include "media/decoder.h"

namespace avbench::media {
namespace {

constexpr int64_t kMostFailures = 1'000'000;  // a decoder must not keep us for ever

}  // namespace

Decoder::Decoder(const Input& input, const AVStream& stream, bool tolerant)
    : input_(input), stream_(stream), tolerant_(tolerant), context_(input.open_decoder(stream)) {}

void Decoder::send(const AVPacket* packet) {
  input_.deadline().check();
  if (packet && packet->flags & AV_PKT_FLAG_CORRUPT && !tolerant_) {
    throw Unusable{FileStatus::kCorrupt, "a packet of the " + name() + " is damaged"};
  }
  const int result = avcodec_send_packet(context_.get(), packet);
  if (result < 0 && result != AVERROR_EOF) on_failure(result);
}

const AVFrame* Decoder::receive() {
  while (true) {
    const int result = avcodec_receive_frame(context_.get(), frame_.get());
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return nullptr;
    if (result >= 0) break;
    on_failure(result);
    if (++failures_ > kMostFailures) return nullptr;
  }
  if (frame_->decode_error_flags || frame_->flags & AV_FRAME_FLAG_CORRUPT) on_damaged_frame();
  return frame_.get();
}

void Decoder::skip_unreferenced(bool skip) {
  context_->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
}

void Decoder::on_failure(int code) {
  if (!tolerant_) input_.fail(code, "decoding the " + name());
  note_damage(packet_number_);
}

void Decoder::on_damaged_frame() {
  if (!tolerant_) throw Unusable{FileStatus::kCorrupt, "the " + name() + " is damaged"};
  note_damage(is_video() ? frame_->pts : packet_number_);
}

}  // namespace avbench::media
