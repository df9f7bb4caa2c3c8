// The audio of one pass over a file. Private to this folder.
#pragma once

#include <optional>
#include <vector>

#include "media/audio_track.h"
#include "media/decode_facts.h"
#include "media/decoder.h"
#include "media/input.h"
#include "media/reader.h"

namespace avbench::media {

// Decodes the packets that the wanted audio needs, or all of them where facts are gathered.
class AudioPass {
 public:
  // Keeps the references. `longest`: seconds of audio that are allowed. `facts`, unless null:
  // everything is decoded, and what comes out noted there. Throws Unusable.
  AudioPass(const Input& input, const VideoIndex& index, const DecodeRequest& request,
            AudioConverter& converter, double longest, Facts* facts);

  bool done() const { return !decoder_; }  // no packet is waited for
  bool takes(const AVPacket& packet) const { return decoder_ && decoder_->takes(packet); }
  // Decoding begins here, in seconds on the file's clock: some time before the wanted audio.
  double decodes_from() const;
  // The packets do not begin with the file's first.
  void begin_after_seek() { seeked_ = true; }

  // Throws Unusable, and SeekOvershoot.
  void on_packet(const AVPacket& packet);
  // No packets follow.
  void finish();
  // What the request wants, empty if nothing. To be called once, last.
  std::vector<float> take_track();

 private:
  bool is_wanted(const DecodeRequest& request) const;
  bool is_due(const AVPacket& packet);
  void receive_pieces();

  const VideoIndex& index_;
  const int rate_;  // Hz of the track
  AudioConverter& converter_;
  Facts* const facts_;
  AVStream* const stream_;          // null if the file has none
  std::optional<Decoder> decoder_;  // nothing once done
  std::optional<AudioTrack> track_;
  AudioPiece piece_;
  double begin_ = 0, end_ = 0;  // wanted, in seconds on the file's clock
  bool seeked_ = false, begun_ = false;
  int late_packets_ = 0;  // in a row, behind what is wanted
};

}  // namespace avbench::media
