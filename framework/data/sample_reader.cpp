#include "data/sample_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "data/clip_place.h"
#include "io/error.h"

namespace avbench::data {
namespace {

// Every `stride`-th of the sample's frames from `start` on.
media::ClipRequest clip_request(const Sample& sample, int64_t start, int64_t count, int64_t stride,
                                uint8_t* out) {
  media::ClipRequest request{.out = out};
  for (int64_t i = 0; i < count; ++i) {
    request.frame_indices.push_back(sample.first_frame + start + i * stride);
  }
  return request;
}

void require_unchanged(const Sample& sample) {
  const auto stamp = stamp_of(sample.path);
  if (stamp == sample.stamp) return;
  throw std::runtime_error(fmt::format(
      "{}: the file {} since it was indexed. Start again so that it is indexed anew.",
      sample.path.string(),
      stamp ? "has changed (its size or time of modification differs)" : "has vanished"));
}

void require_ok(const Sample& sample, media::FileStatus status, const std::string& message) {
  if (status == media::FileStatus::kOk) return;
  throw std::runtime_error(fmt::format(
      "{}: {} ({}), although it could be decoded when it was indexed. If the file was changed, "
      "start again so that it is indexed anew.",
      sample.path.string(), to_string(status), message));
}

}  // namespace

std::optional<FileStamp> stamp_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return std::nullopt;
  const auto modified = std::filesystem::last_write_time(path, error);
  if (error) return std::nullopt;
  return FileStamp{static_cast<int64_t>(bytes), modified.time_since_epoch().count()};
}

SampleReader::SampleReader(const config::ClipConfig& clip,
                           const config::SpectrogramConfig& spectrogram)
    : clip_(clip), spectrogram_(spectrogram), image_(spectrogram) {}

FileContent SampleReader::read_clips(const Sample& sample, std::span<const int64_t> starts,
                                     bool audio) {
  require_unchanged(sample);
  FileContent content;
  const int64_t clip_bytes = clip_.frames * frame_bytes();
  content.frames.resize(starts.size() * clip_bytes);
  std::vector<media::ClipRequest> clips;
  for (size_t i = 0; i < starts.size(); ++i) {
    clips.push_back(clip_request(sample, starts[i], clip_.frames, clip_.stride,
                                 content.frames.data() + i * clip_bytes));
  }
  media::Decoded decoded = decode(sample, std::move(clips), audio);
  require_ok(sample, decoded.status, decoded.message);
  if (audio) keep_audio(std::move(decoded.audio), content);
  return content;
}

FileContent SampleReader::read_all(const Sample& sample) {
  require_unchanged(sample);
  FileContent content;
  content.frames.resize(sample.frames * frame_bytes());
  media::Decoded decoded =
      decode(sample, {clip_request(sample, 0, sample.frames, 1, content.frames.data())}, true);
  require_ok(sample, decoded.status, decoded.message);
  keep_audio(std::move(decoded.audio), content);
  return content;
}

void SampleReader::examine(const std::filesystem::path& path, media::VideoIndex& index) {
  bool reindexed = false;
  reader_.examine(path, index, {}, reindexed);
}

std::optional<FileContent> SampleReader::examine_and_read(const std::filesystem::path& path,
                                                          media::VideoIndex& index) {
  FileContent content;
  content.frames.resize(index.frames() * frame_bytes());
  bool reindexed = false;
  media::Decoded decoded =
      reader_.examine(path, index,
                      {.clips = {media::all_frames(index, content.frames.data())},
                       .height = static_cast<int>(clip_.resize[0]),
                       .width = static_cast<int>(clip_.resize[1]),
                       .sample_rate = static_cast<int>(spectrogram_.sample_rate)},
                      reindexed);
  if (reindexed || decoded.status != media::FileStatus::kOk ||
      index.status != media::FileStatus::kOk) {
    return std::nullopt;
  }
  keep_audio(std::move(decoded.audio), content);
  return content;
}

void SampleReader::keep_audio(std::vector<float> audio, FileContent& content) {
  if (spectrogram_.audio == config::SpectrogramConfig::Audio::kClip) {
    content.audio = std::move(audio);
  } else {
    content.spectrogram = image_.make(audio);
  }
}

// Audio and frames have their time 0 apart: the part's beginning, and the file's first frame.
std::vector<float> SampleReader::spectrogram_at(const Sample& sample, const FileContent& content,
                                                int64_t start) {
  const int64_t middle = sample.first_frame + start + clip_span(clip_) / 2;
  const double centre = sample.index->time_of(middle) - sample.segment.first;
  return image_.make(
      audio_around(content.audio, spectrogram_.sample_rate, centre, spectrogram_.audio_seconds));
}

media::Decoded SampleReader::decode(const Sample& sample, std::vector<media::ClipRequest> clips,
                                    bool audio) {
  return reader_.read(sample.path, *sample.index,
                      {.clips = std::move(clips),
                       .height = static_cast<int>(clip_.resize[0]),
                       .width = static_cast<int>(clip_.resize[1]),
                       .sample_rate = audio ? static_cast<int>(spectrogram_.sample_rate) : 0,
                       .segment = sample.segment});
}

}  // namespace avbench::data
