// Collects decoded sound, mono, at its place in time. Private to this folder.
#pragma once

#include <tuple>
#include <vector>

#include "media/ffmpeg.h"

namespace avbench {

// Converter contexts that are kept from file to file.
class SoundConverter {
 public:
  // Mean of two channels (FFmpeg's downmix, scaled so that it cannot clip, for more) as float,
  // appended to `out`.
  void downmix(const AVFrame& frame, std::vector<float>& out);
  // A whole track at once, so that its ends are aligned: round(size * to / from) samples.
  std::vector<float> resample(const std::vector<float>& wave, int from, int to);

 private:
  // sample format, kind of layout, channels, mask
  using Layout = std::tuple<int, int, int, uint64_t>;

  SwrPtr mixer_, resampler_;
  Layout mixed_{};
  int from_ = 0, to_ = 0;
};

// The part [begin, end) of a track in seconds on the file's clock, at the rate it is stored with.
class SoundTrack {
 public:
  // Throws Unusable if that is more than `longest` seconds.
  SoundTrack(SoundConverter& converter, double begin, double end, double longest);

  // Throws Unusable if the rate changes. Sound after the end is left out.
  void add(const AVFrame& frame, AVRational time_base);
  // Cut and filled to exactly the part, at `rate`. Ends the object's life.
  std::vector<float> finish(int rate);

 private:
  SoundConverter& converter_;
  double begin_, end_;
  int rate_ = 0;  // of the frames; 0 before the first
  std::vector<float> samples_, piece_;
};

}  // namespace avbench
