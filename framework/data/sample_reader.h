// Frames and spectrogram of one file at the size before the crop.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/experiment.h"
#include "media/log_mel.h"
#include "media/reader.h"
#include "media/video_index.h"

namespace avbench {

// What tells that a file is still the one that was indexed.
struct FileStamp {
  int64_t bytes = 0;
  int64_t modified = 0;  // in the file system's clock ticks
  bool operator==(const FileStamp&) const = default;
};

// Throws UserError if there is no such file.
FileStamp stamp_of(const std::filesystem::path& path);

// A file, or a part of one, with at least one frame.
struct Sample {
  std::string id;
  std::filesystem::path path;
  int64_t label = 0;  // class id
  FileStamp stamp;
  std::shared_ptr<const VideoIndex> index;
  int64_t first_rank = 0, frames = 0;        // the part's frames, in the file's display order
  std::pair<double, double> segment{0, -1};  // seconds, as DecodeRequest's
  int64_t number = 0;                        // in the whole data set: its place in the cache
};

struct FileContent {
  std::vector<uint8_t> frames;     // [n, clip.resize, 3]; empty if not asked for
  std::vector<float> spectrogram;  // [spectrogram.resize], in [0, 1]; empty if not asked for
};

// One a thread. Frames are given by their number in the sample, not in the file.
class SampleReader {
 public:
  SampleReader(const ClipConfig& clip, const SpectrogramConfig& spectrogram);

  // Clips of clip.frames frames, side by side. Throws std::runtime_error with the file's name if it
  // cannot be decoded or is not the file that was indexed.
  FileContent read_clips(const Sample& sample, std::span<const int64_t> starts, bool sound);

  // All frames and the spectrogram.
  FileContent read_all(const Sample& sample);

  // Decodes everything in pieces of bounded memory; a file that cannot serve is no exception here.
  std::pair<FileStatus, std::string> verify(const Sample& sample);

  // read_all() and verify() in one.
  std::pair<FileStatus, std::string> try_read_all(const Sample& sample, FileContent& content);

 private:
  Decoded decode(const Sample& sample, const std::vector<ClipRequest>& clips, bool sound);
  std::vector<float> spectrogram_of(std::span<const float> sound);

  ClipConfig clip_;
  SpectrogramConfig spectrogram_;
  LogMel log_mel_;
  MediaReader reader_;
};

}  // namespace avbench
