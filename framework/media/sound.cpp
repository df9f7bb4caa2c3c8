#include "media/sound.h"

#include <algorithm>
#include <cmath>

#include "media/input.h"

namespace avbench {
namespace {

// Time stamps of some containers are rounded to milliseconds: a smaller gap or overlap than this
// is rounding, not a hole.
constexpr double kJitterSeconds = 0.02;

constexpr size_t kResampleStep = 8192;  // samples at once: work that stays in the cache

SwrPtr make_swr(AVChannelLayout in_layout, int in_format, int in_rate, int out_rate) {
  AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  SwrContext* made = nullptr;
  check_av(swr_alloc_set_opts2(&made, &mono, AV_SAMPLE_FMT_FLT, out_rate, &in_layout,
                               static_cast<AVSampleFormat>(in_format), in_rate, 0, nullptr),
           "sound conversion");
  SwrPtr swr(made);
  check_av(av_opt_set_double(made, "rematrix_maxval", 1, 0), "sound conversion");
  check_av(swr_init(swr.get()), "sound conversion");
  return swr;
}

}  // namespace

void SoundConverter::downmix(const AVFrame& frame, std::vector<float>& out) {
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

std::vector<float> SoundConverter::resample(const std::vector<float>& wave, int from, int to) {
  if (from == to) return wave;
  const AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  if (!resampler_ || from != from_ || to != to_) {
    resampler_ = make_swr(mono, AV_SAMPLE_FMT_FLT, from, to);
    from_ = from;
    to_ = to;
  } else {
    check_av(swr_init(resampler_.get()), "sound conversion");  // forgets the last file
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

SoundTrack::SoundTrack(SoundConverter& converter, double begin, double end, double longest)
    : converter_(converter), begin_(begin), end_(std::max(begin, end)) {
  if (!(end_ - begin_ <= longest)) {
    throw Unusable{FileStatus::kCorrupt,
                   "more than " + std::to_string(longest) + " seconds of sound"};
  }
}

void SoundTrack::add(const AVFrame& frame, AVRational time_base) {
  if (!rate_) {
    rate_ = frame.sample_rate;
    samples_.reserve(static_cast<size_t>((end_ - begin_) * rate_) + 8192);
  }
  if (frame.sample_rate != rate_) {
    throw Unusable{FileStatus::kCorrupt, "the sound's sample rate changes from " +
                                             std::to_string(rate_) + " to " +
                                             std::to_string(frame.sample_rate)};
  }
  const auto next = static_cast<int64_t>(samples_.size());
  int64_t place = next;
  if (frame.pts != AV_NOPTS_VALUE) {
    const double seconds = static_cast<double>(frame.pts) * av_q2d(time_base) - begin_;
    if (seconds > end_ - begin_ || seconds * rate_ + frame.nb_samples <= 0) return;
    place = std::llround(seconds * rate_);
    if (next > 0 && std::abs(place - next) <= static_cast<int64_t>(kJitterSeconds * rate_)) {
      place = next;
    }
  }
  piece_.clear();
  converter_.downmix(frame, piece_);
  const int64_t skip = std::clamp<int64_t>(-place, 0, frame.nb_samples);
  if (place + frame.nb_samples <= 0) return;
  place += skip;
  samples_.resize(std::max<size_t>(samples_.size(), place + piece_.size() - skip));
  std::copy(piece_.begin() + skip, piece_.end(), samples_.begin() + place);
}

std::vector<float> SoundTrack::finish(int rate) {
  if (!rate_) return {};
  samples_.resize(static_cast<size_t>(std::llround((end_ - begin_) * rate_)));
  return converter_.resample(samples_, rate_, rate);
}

}  // namespace avbench
