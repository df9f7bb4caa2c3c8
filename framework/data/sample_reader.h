// Frames and spectrogram of one file at the size before the crop.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/clip_config.h"
#include "config/spectrogram_config.h"
#include "data/audio_image.h"
#include "media/reader.h"
#include "media/video_index.h"

namespace avbench::data {

// What tells that a file is still the one that was indexed.
struct FileStamp {
  int64_t bytes = 0;
  int64_t modified = 0;  // in the file system clock's ticks
  bool operator==(const FileStamp&) const = default;
};

// Nothing if there is no such file, or none of which this can be told.
std::optional<FileStamp> stamp_of(const std::filesystem::path& path);

// A file, or a part of one, with at least one frame.
struct Sample {
  std::string id;
  std::filesystem::path path;
  int64_t label = 0;  // class id
  FileStamp stamp;
  std::string sha256;  // of the file's bytes
  std::shared_ptr<const media::VideoIndex> index;
  std::pair<double, double> segment{0, -1};  // seconds, as DecodeRequest's
  int64_t first_frame = 0, frames = 0;       // the part's frames, in the file's display order
  std::vector<int64_t> starts;               // where alone a clip may begin; empty: anywhere
  int64_t number = 0;                        // in the whole data set: its place in the cache
};

struct FileContent {
  std::vector<uint8_t> frames;     // [n, clip.resize, 3]; empty if not asked for
  std::vector<float> spectrogram;  // [image_planes, spectrogram.resize]; empty if not asked for
  std::vector<float> audio;        // in its place with spectrogram.audio "clip": the part's samples
};

// One a thread. Frames are given by their number in the sample, not in the file.
class SampleReader {
 public:
  SampleReader(const config::ClipConfig& clip, const config::SpectrogramConfig& spectrogram);

  // A clip of clip.frames frames for each start, one behind the other. Throws std::runtime_error
  // with the file's name if it cannot be decoded, or is no longer the file that was indexed.
  FileContent read_clips(const Sample& sample, std::span<const int64_t> starts, bool audio);

  // All frames and the spectrogram. Throws as read_clips().
  FileContent read_all(const Sample& sample);

  // Decodes the whole file, in bounded memory, and corrects `index` by what comes out (see
  // MediaReader::examine()).
  void examine(const std::filesystem::path& path, media::VideoIndex& index);

  // The same for a file that is a sample as a whole, whose content is gathered along the way.
  // Nothing if the file is of no use, or has other frames than the index said.
  std::optional<FileContent> examine_and_read(const std::filesystem::path& path,
                                              media::VideoIndex& index);

  // The spectrogram, as FileContent's, of the audio around the clip that begins at frame `start`.
  std::vector<float> spectrogram_at(const Sample& sample, const FileContent& content,
                                    int64_t start);

 private:
  media::Decoded decode(const Sample& sample, std::vector<media::ClipRequest> clips, bool audio);
  void keep_audio(std::vector<float> audio, FileContent& content);
  int64_t frame_bytes() const { return clip_.resize[0] * clip_.resize[1] * 3; }

  config::ClipConfig clip_;
  config::SpectrogramConfig spectrogram_;
  AudioImage image_;
  media::MediaReader reader_;
};

}  // namespace avbench::data
