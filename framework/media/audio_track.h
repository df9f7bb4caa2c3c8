// Collects decoded audio, mono, at its place in time. Private to this folder.
#pragma once

#include <optional>
#include <tuple>
#include <vector>

#include "media/ffmpeg.h"
#include "media/video_index.h"

namespace avbench::media {

inline constexpr int kHighestRate = 768000;  // Hz, of audio that is read

// Converter contexts that are kept from file to file.
class AudioConverter {
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

// Decoded samples of one frame, mono.
struct AudioPiece {
  std::vector<float> samples;
  int rate = 0;                 // Hz
  std::optional<double> begin;  // seconds on the file's clock; nothing: where the last piece ended
};

// The part [begin, end) of a track in seconds on the file's clock, at the rate it is stored with.
class AudioTrack {
 public:
  // `end`: infinite for all there is. Throws Unusable if that is more than `longest` seconds.
  AudioTrack(double begin, double end, double longest);

  // Throws Unusable if the rate changes. Audio outside the part is left out.
  void add(const AudioPiece& piece);
  // Cut and filled to exactly the part, which ends at `end` at the latest, at `rate`. Ends the
  // object's life.
  std::vector<float> finish(AudioConverter& converter, int rate, double end);

 private:
  double begin_, end_, longest_;
  int rate_ = 0;      // of the pieces; 0 before the first
  int64_t next_ = 0;  // where the last piece ended, from begin_
  std::vector<float> samples_;
};

// Where a track is digital silence, and where its samples are no audio at all.
class AudioScan {
 public:
  void add(const AudioPiece& piece);

  // Seconds on the file's clock, ascending.
  double begin() const { return begin_; }
  double end() const { return end_; }
  bool empty() const { return begin_ == end_; }
  std::vector<Interval> silent() const;  // of kShortestSilence or more
  const std::vector<Interval>& not_finite() const { return not_finite_; }

 private:
  void add_silence(double from, double to, bool goes_on);

  double begin_ = 0, end_ = 0;
  bool started_ = false, ends_silent_ = false;
  std::vector<Interval> silent_, not_finite_;
};

}  // namespace avbench::media
