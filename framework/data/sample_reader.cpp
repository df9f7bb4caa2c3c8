#include "data/sample_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "data/sampling.h"
#include "io/error.h"

namespace avbench {
namespace {

constexpr int64_t kVerifyBytes = 64 << 20;  // of frames held at a time

// Every `stride`-th of the sample's frames from `start` on.
ClipRequest clip_request(const Sample& sample, int64_t start, int64_t count, int64_t stride,
                         uint8_t* out) {
  ClipRequest request{.out = out};
  for (int64_t i = 0; i < count; ++i) {
    request.ranks.push_back(sample.first_rank + start + i * stride);
  }
  return request;
}

void require_ok(const Sample& sample, FileStatus status, const std::string& message) {
  if (status == FileStatus::kOk) return;
  throw std::runtime_error(fmt::format(
      "{}: {} ({}), although it could be decoded when it was indexed. If the file was changed, "
      "start again so that it is indexed anew.",
      sample.path.string(), to_string(status), message));
}

}  // namespace

FileStamp stamp_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) throw UserError(fmt::format("{}: {}", path.string(), error.message()));
  const auto modified = std::filesystem::last_write_time(path, error);
  if (error) throw UserError(fmt::format("{}: {}", path.string(), error.message()));
  return {static_cast<int64_t>(bytes), modified.time_since_epoch().count()};
}

SampleReader::SampleReader(const ClipConfig& clip, const SpectrogramConfig& spectrogram)
    : clip_(clip), spectrogram_(spectrogram), picture_(spectrogram) {}

FileContent SampleReader::read_clips(const Sample& sample, std::span<const int64_t> starts,
                                     bool sound) {
  if (stamp_of(sample.path) != sample.stamp) {
    throw std::runtime_error(fmt::format(
        "{}: the file has changed since it was indexed (its size or time of modification differs). "
        "Start again so that it is indexed anew.",
        sample.path.string()));
  }
  FileContent content;
  const int64_t clip_bytes = clip_.frames * frame_bytes();
  content.frames.resize(starts.size() * clip_bytes);
  std::vector<ClipRequest> clips;
  for (size_t i = 0; i < starts.size(); ++i) {
    clips.push_back(clip_request(sample, starts[i], clip_.frames, clip_.stride,
                                 content.frames.data() + i * clip_bytes));
  }
  Decoded decoded = decode(sample, std::move(clips), sound);
  require_ok(sample, decoded.status, decoded.message);
  if (sound) keep_sound(std::move(decoded.sound), content);
  return content;
}

FileContent SampleReader::read_all(const Sample& sample) {
  FileContent content;
  const auto [status, message] = try_read_all(sample, content);
  require_ok(sample, status, message);
  return content;
}

DecodeResult SampleReader::try_read_all(const Sample& sample, FileContent& content) {
  if (stamp_of(sample.path) != sample.stamp) return {FileStatus::kCorrupt, "changed while read"};
  content.frames.resize(sample.frames * frame_bytes());
  Decoded decoded =
      decode(sample, {clip_request(sample, 0, sample.frames, 1, content.frames.data())}, true);
  if (decoded.status == FileStatus::kOk) keep_sound(std::move(decoded.sound), content);
  return {decoded.status, std::move(decoded.message)};
}

void SampleReader::keep_sound(std::vector<float> sound, FileContent& content) {
  if (spectrogram_.sound == "clip") {
    content.sound = std::move(sound);
  } else {
    content.spectrogram = picture_.make(sound);
  }
}

// Sound and frames have their time 0 apart: the part's beginning, and the file's first frame.
std::vector<float> SampleReader::spectrogram_at(const Sample& sample, const FileContent& content,
                                                int64_t start) {
  const int64_t middle = sample.first_rank + start + clip_span(clip_) / 2;
  const double centre = sample.index->time_of(middle) - sample.segment.first;
  return picture_.make(
      sound_around(content.sound, spectrogram_.sample_rate, centre, spectrogram_.sound_seconds));
}

DecodeResult SampleReader::verify(const Sample& sample) {
  const int64_t piece = std::clamp<int64_t>(kVerifyBytes / frame_bytes(), 1, sample.frames);
  std::vector<uint8_t> frames(piece * frame_bytes());
  for (int64_t start = 0; start < sample.frames; start += piece) {
    const int64_t count = std::min(piece, sample.frames - start);
    Decoded decoded =
        decode(sample, {clip_request(sample, start, count, 1, frames.data())}, start == 0);
    if (decoded.status != FileStatus::kOk) return {decoded.status, std::move(decoded.message)};
  }
  return {};
}

Decoded SampleReader::decode(const Sample& sample, std::vector<ClipRequest> clips, bool sound) {
  return reader_.read(sample.path, *sample.index,
                      {.clips = std::move(clips),
                       .height = static_cast<int>(clip_.resize[0]),
                       .width = static_cast<int>(clip_.resize[1]),
                       .sample_rate = sound ? static_cast<int>(spectrogram_.sample_rate) : 0,
                       .segment = sample.segment});
}

}  // namespace avbench
