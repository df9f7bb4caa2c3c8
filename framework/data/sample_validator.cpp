#include "data/sample_validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/clip_place.h"

namespace avbench::data {
namespace {

// First frame whose time is not before `seconds`.
int64_t frame_at(const media::VideoIndex& index, double seconds) {
  int64_t low = 0, high = index.frames();
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (index.time_of(middle) < seconds) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// First frames of the sample's seconds, as far as a clip fits behind them. Seconds without a frame
// are passed over at once: a file may have a hole of any length.
std::vector<int64_t> second_starts(const Sample& sample, const config::ClipConfig& clip) {
  std::vector<int64_t> starts;
  for (double second = 0;;) {
    const int64_t frame_index = frame_at(*sample.index, sample.segment.first + second);
    const int64_t start = frame_index - sample.first_frame;
    if (start + clip_span(clip) > sample.frames) return starts;
    if (starts.empty() || start > starts.back()) starts.push_back(start);
    const double time = sample.index->time_of(frame_index) - sample.segment.first;
    second = std::max(second, std::floor(time)) + 1;
  }
}

// Checks the formats of the indexed file again: the index may be of a run that allowed others.
Verdict validate_formats(const media::VideoIndex& index, const media::Formats& formats) {
  const auto refuse = [](const std::string& what, const std::string& allowed) {
    return Verdict{media::FileStatus::kUnsupported,
                   fmt::format("{} is not supported: allowed are {}", what, allowed)};
  };
  if (!formats.has_container(index.container)) {
    return refuse("format " + index.container, formats.containers());
  }
  if (!index.video_codec.empty() && !formats.has_codec(index.video_codec)) {
    return refuse("video codec " + index.video_codec, formats.codecs(true));
  }
  if (!index.audio_codec.empty() && !formats.has_codec(index.audio_codec)) {
    return refuse("audio codec " + index.audio_codec, formats.codecs(false));
  }
  return {};
}

int64_t tolerated(int64_t packets) {
  return std::max<int64_t>(1,
                           static_cast<int64_t>(kToleratedDamage * static_cast<double>(packets)));
}

Verdict validate_damage(const media::VideoIndex& index, bool tolerate) {
  const int64_t video = index.damaged_video_packets, audio = index.damaged_audio_packets;
  if (video + audio == 0) return {};
  const std::string what =
      fmt::format("{} of {} packets of the video and {} of {} of the audio are damaged", video,
                  index.video_packets, audio, index.audio_packets);
  if (!tolerate)
    return {media::FileStatus::kCorrupt, what + "; protocol.data.on_damage is 'exclude'"};
  if (video <= tolerated(index.video_packets) && audio <= tolerated(index.audio_packets)) {
    return {media::FileStatus::kDamaged, what};
  }
  return {media::FileStatus::kCorrupt,
          fmt::format("{}; at most {:.0f} % of either, or one, is tolerated", what,
                      100 * kToleratedDamage)};
}

bool meets(const media::Interval& a, const media::Interval& b) {
  return a.begin < b.end && b.begin < a.end;
}

// Times are relative to the beginning of the part.
Verdict validate_audio(const Sample& sample) {
  const media::VideoIndex& index = *sample.index;
  const auto [first, last] = sample.segment;
  const double end = last < 0 ? std::numeric_limits<double>::infinity() : last;
  const media::Interval heard{std::max(first, index.audio_start), std::min(end, index.audio_end())};
  if (heard.end - heard.begin <= 0) {
    return {media::FileStatus::kBeyondAudio,
            fmt::format("the audio is from {:.2f} s to {:.2f} s, the sample begins at {:.2f} s",
                        index.audio_start, index.audio_end(), first)};
  }
  for (const media::Interval& bad : index.not_finite) {
    if (!meets(bad, heard)) continue;
    return {media::FileStatus::kNotFinite,
            fmt::format("the audio has samples that are NaN, infinite or absurdly large, the first "
                        "at {:.3f} s",
                        bad.begin)};
  }
  constexpr double kSlack = 1e-6;  // rounding of sums of times
  for (const media::Interval& silence : index.silent) {
    if (silence.begin > heard.begin + kSlack || silence.end < heard.end - kSlack) continue;
    return {media::FileStatus::kSilent,
            fmt::format("digital silence from {:.2f} s to {:.2f} s", heard.begin, heard.end)};
  }
  return {};
}

}  // namespace

Sample make_sample(const ManifestEntry& item, const IndexEntry& entry,
                   const config::ClipConfig& clip) {
  Sample sample{.id = item.id,
                .path = item.path,
                .stamp = entry.stamp,
                .sha256 = entry.sha256,
                .index = entry.index};
  sample.segment = {item.start.value_or(0), item.end.value_or(-1)};
  sample.first_frame = item.start ? frame_at(*entry.index, *item.start) : 0;
  sample.frames =
      (item.end ? frame_at(*entry.index, *item.end) : entry.index->frames()) - sample.first_frame;
  if (clip.start == config::ClipConfig::Start::kSecond &&
      entry.index->status == media::FileStatus::kOk)
    sample.starts = second_starts(sample, clip);
  return sample;
}

Verdict validate(const Sample& sample, const Requirements& requirements,
                 const media::Formats& formats) {
  const media::VideoIndex& index = *sample.index;
  if (index.status != media::FileStatus::kOk) return {index.status, index.message};
  if (Verdict verdict = validate_formats(index, formats); !verdict.usable()) return verdict;
  Verdict damage = validate_damage(index, requirements.tolerate_damage);
  if (!damage.usable()) return damage;
  const int64_t span = clip_span(requirements.clip);
  if (sample.frames < span) {
    return {media::FileStatus::kTooShort,
            fmt::format("{} frames, a clip needs {} ({} at stride {})", sample.frames, span,
                        requirements.clip.frames, requirements.clip.stride)};
  }
  if (sample.frames < requirements.min_frames) {
    return {media::FileStatus::kTooShort, fmt::format("{} frames, another row's clip needs {}",
                                                      sample.frames, requirements.min_frames)};
  }
  if (Verdict audio = validate_audio(sample); !audio.usable()) return audio;
  return damage;
}

}  // namespace avbench::data
