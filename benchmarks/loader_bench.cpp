// The whole loader on rendered files, without a data set at hand: every worker count, decoding for
// each batch and from memory. `avbench bench loader` measures the same on files of one's own.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <vector>

#include "app/loader_benchmark.h"
#include "media/mp4_writer.h"

namespace avbench {
namespace {

constexpr int kWidth = 340, kHeight = 256, kFps = 30, kSeconds = 4, kRate = 44100, kFiles = 8;

// Moving rings with a grain of noise, and a tone: about as hard to decode as a web video.
void render(const std::filesystem::path& path, int number) {
  media::Mp4Writer writer(
      path,
      {.width = kWidth, .height = kHeight, .fps = {kFps, 1}, .crf = 28, .sample_rate = kRate});
  std::vector<uint8_t> image(kWidth * kHeight * 3);
  std::vector<float> tone(kRate / kFps);
  uint32_t noise = number + 1;
  for (int t = 0; t < kFps * kSeconds; ++t) {
    for (int i = 0; i < kWidth * kHeight; ++i) {
      noise = noise * 1664525u + 1013904223u;
      const int column = i % kWidth, row = i / kWidth;
      const double x = column - 170 - t, y = row - 128;
      const double wave = std::sin(std::sqrt(x * x + y * y) * (0.1 + 0.02 * number));
      for (int channel = 0; channel < 3; ++channel) {
        image[3 * i + channel] =
            static_cast<uint8_t>(120 + 100 * wave / (1 + channel) + (noise >> 28));
      }
    }
    for (size_t i = 0; i < tone.size(); ++i) {
      const double seconds = static_cast<double>(t) / kFps + static_cast<double>(i) / kRate;
      tone[i] =
          static_cast<float>(0.3 * std::sin(2 * std::numbers::pi * (200 + 50 * number) * seconds));
    }
    writer.add_frame(image);
    writer.add_audio(tone);
  }
  writer.finish();
}

class RenderedFiles {
 public:
  RenderedFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "avbench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
    folder_ = name;
    const auto files = source() / "train" / "rings";
    std::filesystem::create_directories(files);
    for (int i = 0; i < kFiles; ++i) render(files / fmt::format("{}.mp4", i), i);
    ::setenv("AVBENCH_CACHE", (folder_ / "cache").c_str(), 1);
  }
  ~RenderedFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  RenderedFiles(const RenderedFiles&) = delete;
  RenderedFiles& operator=(const RenderedFiles&) = delete;

  std::filesystem::path source() const { return folder_ / "source"; }

 private:
  std::filesystem::path folder_;
};

void register_all(const RenderedFiles& files) {
  for (const int64_t cache_mib : {0, 1024}) {
    const auto dataset =
        data::Dataset::open({.source = files.source().string()}, {}, {}, {.cache_mib = cache_mib});
    for (const int workers : {1, 2}) {
      app::register_loader_benchmark(
          fmt::format("loader/{}/workers:{}", cache_mib == 0 ? "decode" : "memory", workers),
          {.dataset = dataset, .batch = kFiles, .clips = 4 * kFiles, .workers = workers});
    }
  }
}

}  // namespace
}  // namespace avbench

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::warn);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const avbench::RenderedFiles files;
  avbench::register_all(files);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
