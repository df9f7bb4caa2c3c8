// Small files with image and audio, rendered when a test needs them.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/clip_config.h"
#include "config/spectrogram_config.h"
#include "data/dataset.h"
#include "io/temp_folder.h"
#include "media/mp4_writer.h"

namespace avbench::data {

struct MovieOptions {
  int frames = 24;
  bool audio = true;
  int pattern = 0;  // changes image and pitch
};

// 64x48 at 12 frames a second, 8 kHz: a bright bar that moves over a gradient, and a tone.
inline void write_movie(const std::filesystem::path& path, const MovieOptions& options = {}) {
  std::filesystem::create_directories(path.parent_path());
  constexpr int kWidth = 64, kHeight = 48, kFps = 12, kRate = 8000;
  media::Mp4Writer writer(path, {.width = kWidth,
                                 .height = kHeight,
                                 .fps = {kFps, 1},
                                 .gop = 8,
                                 .sample_rate = options.audio ? kRate : 0});
  std::vector<uint8_t> image(kWidth * kHeight * 3);
  for (int t = 0; t < options.frames; ++t) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        uint8_t* pixel = &image[(y * kWidth + x) * 3];
        const bool bar = (x + 64 - 2 * t - 7 * options.pattern % 64) % 64 < 8;
        pixel[0] = static_cast<uint8_t>(bar ? 240 : 3 * x);
        pixel[1] = static_cast<uint8_t>(bar ? 20 : 4 * y);
        pixel[2] = static_cast<uint8_t>(8 * t % 256);
      }
    }
    writer.add_frame(image);
  }
  if (options.audio) {
    std::vector<float> tone(options.frames * kRate / kFps);
    for (size_t i = 0; i < tone.size(); ++i) {
      tone[i] = 0.5f * std::sin(0.2f * static_cast<float>((1 + options.pattern) * i));
    }
    writer.add_audio(tone);
  }
  writer.finish();
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline config::ClipConfig small_clip() {
  return {.frames = 6, .stride = 2, .resize = {24, 32}, .crop = 16};
}

inline config::SpectrogramConfig small_spectrogram() {
  return {.sample_rate = 8000,
          .n_fft = 512,
          .window = 128,
          .hop = 128,
          .bands = 32,
          .f_max = 4000,
          .size = {32, 32},
          .resize = {24, 30},
          .crop = 20};
}

// An index cache of the test's own, and a folder for its files.
class DataFolder {
 public:
  DataFolder() { ::setenv("AVBENCH_CACHE", (folder_ / "cache").c_str(), 1); }
  std::filesystem::path source() const { return folder_ / "source"; }
  std::filesystem::path operator/(const std::string& name) const { return source() / name; }

  // Training files of two classes, `files` of each, and one validation file.
  void write_good_files(int files = 3) const {
    for (int i = 0; i < files; ++i) {
      const std::string name = std::to_string(i) + ".mp4";
      write_movie(*this / ("train/bell/f" + name), {.frames = 20 + 3 * i, .pattern = i});
      write_movie(*this / ("train/drum/f" + name), {.frames = 24 + i, .pattern = 4 + i});
    }
    write_movie(*this / "val/drum/v.mp4", {.pattern = 9});
  }

  std::shared_ptr<const Dataset> open(
      int64_t cache_mib, config::DataConfig::OnBad on_bad = config::DataConfig::OnBad::kExclude,
      const OpenProgress& progress = {}) const {
    return open_source(source(), cache_mib, on_bad, progress);
  }

  static std::shared_ptr<const Dataset> open_source(
      const std::filesystem::path& source, int64_t cache_mib,
      config::DataConfig::OnBad on_bad = config::DataConfig::OnBad::kExclude,
      const OpenProgress& progress = {}) {
    return Dataset::open({.source = source.string(), .on_bad = on_bad}, small_clip(),
                         small_spectrogram(), {.workers = 2, .cache_mib = cache_mib}, progress);
  }

 private:
  io::TempFolder folder_;
};

}  // namespace avbench::data
