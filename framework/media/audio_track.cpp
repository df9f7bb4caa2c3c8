#include "media/audio_track.h"

#include <algorithm>
#include <cmath>

#include "media/input.h"

namespace avbench::media {
namespace {

// Time stamps of some containers are rounded to milliseconds: a smaller gap or overlap than this
// is rounding, not a hole.
constexpr double kJitterSeconds = 0.02;

constexpr float kSilence = 1.0f / (1 << 16);  // half a step of 16 bits
constexpr float kLoudest = 1e9f;  // above it the power of a spectrum could leave float's range
constexpr double kShortestSilence = 0.05;  // seconds
constexpr double kNearby = 1;  // seconds from one bad sample to the next of the same interval

constexpr size_t kResampleStep = 8192;  // samples at once: work that stays in the cache

SwrPtr make_swr(AVChannelLayout in_layout, int in_format, int in_rate, int out_rate) {
  AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  SwrContext* made = nullptr;
  check_av(swr_alloc_set_opts2(&made, &mono, AV_SAMPLE_FMT_FLT, out_rate, &in_layout,
                               static_cast<AVSampleFormat>(in_format), in_rate, 0, nullptr),
           "audio conversion");
  SwrPtr swr(made);
  check_av(av_opt_set_double(made, "rematrix_maxval", 1, 0), "audio conversion");
  if (in_layout.order != AV_CHANNEL_ORDER_NATIVE && in_layout.nb_channels > 2) {
    // What its channels are is not known: their mean.
    const std::vector<double> mean(in_layout.nb_channels, 1.0 / in_layout.nb_channels);
    check_av(swr_set_matrix(made, mean.data(), in_layout.nb_channels), "audio conversion");
  }
  check_av(swr_init(swr.get()), "audio conversion");
  return swr;
}

}  // namespace

void AudioConverter::downmix(const AVFrame& frame, std::vector<float>& out) {
  const size_t before = out.size();
  out.resize(before + frame.nb_samples);
  const auto* const* planes = reinterpret_cast<const float* const*>(frame.extended_data);
  float* const to = out.data() + before;
  const int channels = frame.ch_layout.nb_channels;
  if (frame.format == AV_SAMPLE_FMT_FLTP && channels <= 2) {
    const float *left = planes[0], *right = planes[channels - 1];
    for (int i = 0; i < frame.nb_samples; ++i) to[i] = 0.5f * (left[i] + right[i]);
    return;
  }
  const bool native = frame.ch_layout.order == AV_CHANNEL_ORDER_NATIVE;
  const Layout layout{frame.format, frame.ch_layout.order, channels,
                      native ? frame.ch_layout.u.mask : 0};
  if (!mixer_ || layout != mixed_ || frame.ch_layout.order == AV_CHANNEL_ORDER_CUSTOM) {
    // The rate does not matter without resampling.
    mixer_ = make_swr(frame.ch_layout, frame.format, 48000, 48000);
    mixed_ = layout;
  }
  uint8_t* outs[] = {reinterpret_cast<uint8_t*>(to)};
  check_av(swr_convert(mixer_.get(), outs, frame.nb_samples,
                       const_cast<const uint8_t**>(frame.extended_data), frame.nb_samples),
           "downmixing");
}

std::vector<float> AudioConverter::resample(const std::vector<float>& wave, int from, int to) {
  if (from == to) return wave;
  const AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  if (!resampler_ || from != from_ || to != to_) {
    resampler_ = make_swr(mono, AV_SAMPLE_FMT_FLT, from, to);
    from_ = from;
    to_ = to;
  } else {
    check_av(swr_init(resampler_.get()), "audio conversion");  // forgets the last file
  }
  const auto size = static_cast<size_t>(
      std::llround(static_cast<double>(wave.size()) * static_cast<double>(to) / from));
  std::vector<float> out(size + 256);
  size_t got = 0;
  const auto convert = [&](const float* samples, size_t count) {
    uint8_t* outs[] = {reinterpret_cast<uint8_t*>(out.data() + got)};
    const uint8_t* ins[] = {reinterpret_cast<const uint8_t*>(samples)};
    got += check_av(swr_convert(resampler_.get(), outs, static_cast<int>(out.size() - got),
                                samples ? ins : nullptr, static_cast<int>(count)),
                    "resampling");
  };
  for (size_t done = 0; done < wave.size(); done += kResampleStep) {
    convert(wave.data() + done, std::min(kResampleStep, wave.size() - done));
  }
  convert(nullptr, 0);  // what the filter holds back
  std::fill(out.begin() + static_cast<ptrdiff_t>(std::min(got, size)), out.end(), 0.f);
  out.resize(size);
  return out;
}

AudioTrack::AudioTrack(double begin, double end, double longest)
    : begin_(begin), end_(std::max(begin, end)), longest_(longest) {
  if (std::isfinite(end_) && !(end_ - begin_ <= longest)) {
    throw Unusable{FileStatus::kCorrupt,
                   "more than " + std::to_string(longest) + " seconds of audio"};
  }
}

void AudioTrack::add(const AudioPiece& piece) {
  const auto count = static_cast<int64_t>(piece.samples.size());
  if (piece.rate <= 0 || piece.rate > kHighestRate) {
    throw Unusable{FileStatus::kCorrupt, "audio of " + std::to_string(piece.rate) + " Hz"};
  }
  if (!rate_) {
    rate_ = piece.rate;
    if (std::isfinite(end_)) samples_.reserve(static_cast<size_t>((end_ - begin_) * rate_) + 8192);
  }
  if (piece.rate != rate_) {
    throw Unusable{FileStatus::kCorrupt, "the audio's sample rate changes from " +
                                             std::to_string(rate_) + " to " +
                                             std::to_string(piece.rate)};
  }
  int64_t place = next_;
  if (piece.begin) {
    const double seconds = *piece.begin - begin_;
    if (seconds > std::min(end_ - begin_, longest_)) return;
    place = std::llround(seconds * rate_);
    const bool follows = !samples_.empty();
    if (follows && std::abs(place - next_) <= static_cast<int64_t>(kJitterSeconds * rate_)) {
      place = next_;
    }
  }
  next_ = place + count;
  if (next_ <= 0 || count == 0) return;
  const int64_t skip = std::clamp<int64_t>(-place, 0, count);
  place += skip;
  samples_.resize(std::max<size_t>(samples_.size(), place + count - skip));
  std::copy(piece.samples.begin() + skip, piece.samples.end(), samples_.begin() + place);
}

std::vector<float> AudioTrack::finish(AudioConverter& converter, int rate, double end) {
  if (!rate_) return {};
  end = std::max(begin_, std::min(end_, end));
  if (!(end - begin_ <= longest_)) {
    throw Unusable{FileStatus::kCorrupt,
                   "more than " + std::to_string(longest_) + " seconds of audio"};
  }
  samples_.resize(static_cast<size_t>(std::llround((end - begin_) * rate_)));
  return converter.resample(samples_, rate_, rate);
}

void AudioScan::add(const AudioPiece& piece) {
  if (piece.samples.empty()) return;
  const double begin = piece.begin.value_or(end_);
  const auto time = [&](size_t sample) { return begin + static_cast<double>(sample) / piece.rate; };
  const bool started_before = started_;
  const double end_before = end_;
  begin_ = started_ ? std::min(begin_, begin) : begin;
  end_ = std::max(started_ ? end_ : begin, time(piece.samples.size()));
  started_ = true;
  // Where nothing is stored, nothing is heard.
  if (started_before && begin > end_before + kJitterSeconds) {
    add_silence(end_before, begin, ends_silent_);
    ends_silent_ = true;
  }
  size_t run = 0;  // where the silence began that reaches up to here
  for (size_t i = 0; i < piece.samples.size(); ++i) {
    const float size = std::abs(piece.samples[i]);
    if (size < kSilence) continue;
    if (i > run) add_silence(time(run), time(i), run == 0 && ends_silent_);
    run = i + 1;
    if (size <= kLoudest) continue;  // false for NaN
    const Interval bad{time(i), time(i + 1)};
    if (not_finite_.empty() || bad.begin - not_finite_.back().end > kNearby) {
      not_finite_.push_back(bad);
    } else {
      not_finite_.back().end = std::max(not_finite_.back().end, bad.end);
    }
  }
  const bool ends_silent = run < piece.samples.size();
  if (ends_silent) add_silence(time(run), time(piece.samples.size()), run == 0 && ends_silent_);
  ends_silent_ = ends_silent;
}

// `goes_on`: with the silence that ended the piece before, and with what lies between them.
void AudioScan::add_silence(double from, double to, bool goes_on) {
  if (goes_on) {
    silent_.back().end = std::max(silent_.back().end, to);
    return;
  }
  // One that turned out short makes way for the next.
  if (!silent_.empty() && silent_.back().end - silent_.back().begin < kShortestSilence) {
    silent_.pop_back();
  }
  silent_.push_back({from, to});
}

std::vector<Interval> AudioScan::silent() const {
  std::vector<Interval> runs = silent_;
  std::erase_if(runs, [](const Interval& run) { return run.end - run.begin < kShortestSilence; });
  return runs;
}

}  // namespace avbench::media
