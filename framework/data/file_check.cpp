#include "data/file_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "data/parallel.h"
#include "data/sampling.h"
#include "io/error.h"

namespace avbench {
namespace {

void check_crop(const char* section, int64_t crop, const std::array<int64_t, 2>& resize) {
  if (crop <= std::min(resize[0], resize[1])) return;
  throw UserError(
      fmt::format("{0}.crop is {1}, larger than {0}.resize, [{2}, {3}]; expected at "
                  "most {4}.",
                  section, crop, resize[0], resize[1], std::min(resize[0], resize[1])));
}

// First rank whose time is not before `seconds`.
int64_t rank_at(const VideoIndex& index, double seconds) {
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

// First frames of the sample's seconds, as far as a clip fits behind them.
std::vector<int64_t> second_starts(const Sample& sample, const ClipConfig& clip) {
  std::vector<int64_t> starts;
  for (int64_t second = 0;; ++second) {
    const double time = sample.segment.first + static_cast<double>(second);
    const int64_t start = rank_at(*sample.index, time) - sample.first_rank;
    if (start + clip_span(clip) > sample.frames) return starts;
    if (starts.empty() || start > starts.back()) starts.push_back(start);
  }
}

Sample make_sample(const Item& item, const IndexEntry& entry, const ClipConfig& clip) {
  Sample sample{.id = item.id, .path = item.path, .stamp = entry.stamp, .index = entry.index};
  sample.segment = {item.start.value_or(0), item.end.value_or(-1)};
  sample.first_rank = item.start ? rank_at(*entry.index, *item.start) : 0;
  sample.frames =
      (item.end ? rank_at(*entry.index, *item.end) : entry.index->frames()) - sample.first_rank;
  if (clip.start == "second") sample.starts = second_starts(sample, clip);
  return sample;
}

// What the index alone says of a sample.
DecodeResult judge(const Sample& sample, const ClipConfig& clip, int64_t min_frames) {
  const VideoIndex& index = *sample.index;
  if (index.status != FileStatus::kOk) return {index.status, index.message};
  if (sample.frames < clip_span(clip)) {
    return {FileStatus::kTooShort,
            fmt::format("{} frames, a clip needs {} ({} at stride {})", sample.frames,
                        clip_span(clip), clip.frames, clip.stride)};
  }
  if (sample.frames < min_frames) {
    return {FileStatus::kTooShort,
            fmt::format("{} frames, another row's clip needs {}", sample.frames, min_frames)};
  }
  return {};
}

int64_t sound_bytes(const Sample& sample, const SpectrogramConfig& config) {
  constexpr int64_t kFloat = sizeof(float);
  if (config.sound == "whole") {
    return sound_planes(config) * config.resize[0] * config.resize[1] * kFloat;
  }
  const auto [begin, end] = sample.segment;
  const VideoIndex& index = *sample.index;
  const double seconds = (end < 0 ? index.audio_start + index.audio_duration : end) - begin;
  return static_cast<int64_t>(std::max(0.0, seconds) * static_cast<double>(config.sample_rate)) *
         kFloat;
}

}  // namespace

void check_crops(const ClipConfig& clip, const SpectrogramConfig& spectrogram) {
  check_crop("protocol.clip", clip.crop, clip.resize);
  check_crop("protocol.spectrogram", spectrogram.crop, spectrogram.resize);
}

FileChecker::FileChecker(const std::vector<Item>& items, const IndexEntries& known,
                         const ClipConfig& clip, const SpectrogramConfig& spectrogram,
                         int64_t threads, Progress progress, int64_t min_frames)
    : items_(items),
      known_(known),
      clip_(clip),
      spectrogram_(spectrogram),
      threads_(threads),
      progress_(std::move(progress)),
      min_frames_(min_frames),
      files_(items.size()) {}

void FileChecker::index() {
  for_each_in_threads(
      static_cast<int64_t>(items_.size()), threads_, [] { return 0; },
      [&](int64_t i, int&) {
        index_one(i);
        step();
      });
  if (known_.size() != items_.size()) learnt_ = true;
}

void FileChecker::index_one(size_t i) {
  CheckedFile& file = files_[i];
  const FileStamp stamp = stamp_of(items_[i].path);
  const auto found = known_.find(items_[i].id);
  if (found != known_.end() && found->second.stamp == stamp) {
    file.entry = found->second;
  } else {
    file.entry.stamp = stamp;
    file.entry.index = std::make_shared<const VideoIndex>(index_file(items_[i].path));
    const std::lock_guard lock(mutex_);
    learnt_ = true;
  }
  file.sample = make_sample(items_[i], file.entry, clip_);
  file.result = judge(file.sample, clip_, min_frames_);
}

int64_t FileChecker::content_bytes() const {
  const int64_t frame = clip_.resize[0] * clip_.resize[1] * 3;
  int64_t bytes = 0;
  for (const CheckedFile& file : files_) {
    if (file.result.status != FileStatus::kOk) continue;
    bytes += file.sample.frames * frame + sound_bytes(file.sample, spectrogram_);
  }
  return bytes;
}

void FileChecker::decode(ContentCache* cache) {
  for_each_in_threads(
      static_cast<int64_t>(items_.size()), threads_,
      [&] { return SampleReader(clip_, spectrogram_); },
      [&](int64_t i, SampleReader& reader) {
        decode_one(i, reader, cache);
        step();
      });
}

void FileChecker::decode_one(size_t i, SampleReader& reader, ContentCache* cache) {
  CheckedFile& file = files_[i];
  if (file.result.status != FileStatus::kOk) return;
  if (!file.entry.decoded) {
    if (cache) {
      FileContent content;
      file.entry.decoded = reader.try_read_all(file.sample, content);
      if (file.entry.decoded->status == FileStatus::kOk)
        cache->put(file.sample, std::move(content));
    } else {
      file.entry.decoded = reader.verify(file.sample);
    }
    const std::lock_guard lock(mutex_);
    learnt_ = true;
  }
  file.result = *file.entry.decoded;
}

void FileChecker::step() {
  const std::lock_guard lock(mutex_);
  ++steps_;
  if (progress_) progress_(steps_, 2 * static_cast<int64_t>(items_.size()));
}

IndexEntries FileChecker::entries() const {
  IndexEntries entries;
  for (size_t i = 0; i < files_.size(); ++i) {
    IndexEntry entry = files_[i].entry;
    if (!entry.index || entry.index->status == FileStatus::kTimeout) continue;
    if (entry.decoded && entry.decoded->status == FileStatus::kTimeout) entry.decoded.reset();
    entries.emplace(items_[i].id, std::move(entry));
  }
  return entries;
}

}  // namespace avbench
