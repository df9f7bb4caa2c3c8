// One stream's decoder, and what is done about the damage that it meets. Private to this folder.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "media/ffmpeg.h"
#include "media/input.h"

namespace avbench::media {

class Decoder {
 public:
  // `tolerant`: damage is concealed as FFmpeg does it; otherwise it throws Unusable. Keeps the
  // references. Throws Unusable if the stream cannot be decoded.
  Decoder(const Input& input, const AVStream& stream, bool tolerant);

  bool takes(const AVPacket& packet) const { return packet.stream_index == stream_.index; }

  // Null: no packets follow; what the decoder holds back comes out. Throws Unusable.
  void send(const AVPacket* packet);
  // Valid until the next call; null when the decoder wants more packets. Throws Unusable.
  const AVFrame* receive();

  // Frames that no other one refers to need not come out of the packets that follow.
  void skip_unreferenced(bool skip);
  // Forgets all packets: others than the next ones follow.
  void restart() { avcodec_flush_buffers(context_.get()); }

  // ---- noting damage, if tolerant ----

  // From now on, the numbers of damaged packets go into `packets`. The time stamp of a video packet
  // that is sent must then be its number, so that its frame tells it.
  void note_damage_in(std::set<int64_t>& packets) { damaged_ = &packets; }
  void set_packet_number(int64_t number) { packet_number_ = number; }  // of the one at hand
  void note_damage(int64_t packet_number) {
    if (damaged_) damaged_->insert(packet_number);
  }

 private:
  bool is_video() const { return context_->codec_type == AVMEDIA_TYPE_VIDEO; }
  std::string name() const { return is_video() ? "video" : "audio"; }
  void on_failure(int code);
  void on_damaged_frame();

  const Input& input_;
  const AVStream& stream_;
  const bool tolerant_;
  CodecContextPtr context_;
  FramePtr frame_{av_frame_alloc()};
  std::set<int64_t>* damaged_ = nullptr;  // null: not noted
  int64_t packet_number_ = 0;
  int64_t failures_ = 0;
};

}  // namespace avbench::media
