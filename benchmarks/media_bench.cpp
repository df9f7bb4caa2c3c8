// What one loader thread pays for a clip: 16 consecutive frames at a random start, scaled to
// 128x171, and the whole track as a 256x256 log-mel. Pin it to one core to compare with others.
//
// Files: *.mp4 of the folder in AVBENCH_BENCH_MEDIA or of the first argument that is no flag;
// otherwise a few are rendered (340x256, 30 fps, 10 s, 250-frame GOPs with B-frames).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <vector>

#include "media/log_mel.h"
#include "media/mp4_writer.h"
#include "media/reader.h"
#include "media/video_index.h"

namespace {

namespace fs = std::filesystem;
using namespace avbench;

constexpr int kFrames = 16, kHeight = 128, kWidth = 171, kClips = 48;

struct Corpus {
  std::vector<fs::path> files;
  std::vector<media::VideoIndex> indices;
  std::vector<std::pair<size_t, int64_t>> plan;  // file, first frame
};

void render_file(const fs::path& path, int number) {
  constexpr int kW = 340, kH = 256;
  media::Mp4Options options;
  options.width = kW;
  options.height = kH;
  options.crf = 28;
  options.preset = "medium";
  options.sample_rate = 44100;
  options.audio_bit_rate = 128000;
  media::Mp4Writer writer(path, options);
  std::mt19937 random(number);
  std::vector<uint8_t> rgb(size_t{3} * kW * kH);
  std::vector<float> second(44100 / 30);
  for (int frame = 0; frame < 300; ++frame) {
    for (int y = 0; y < kH; ++y) {
      for (int x = 0; x < kW; ++x) {
        uint8_t* pixel = &rgb[3 * (static_cast<size_t>(y) * kW + x)];
        const double wave =
            std::sin(0.05 * (x + frame * number * 0.3)) * std::cos(0.07 * y + frame * 0.05);
        const int grain = static_cast<int>(random() & 15);
        for (int c = 0; c < 3; ++c) {
          pixel[c] = static_cast<uint8_t>(110 + 90 * wave * std::cos(c + 0.02 * frame) + grain);
        }
      }
    }
    writer.add_frame(rgb);
    for (float& sample : second) sample = static_cast<float>(random() % 2001) / 4000 - 0.25f;
    writer.add_audio(second);
  }
  writer.finish();
}

fs::path render_corpus() {
  fs::path folder = fs::temp_directory_path() / "avbench_media_bench";
  fs::create_directories(folder);
  for (int i = 1; i <= 4; ++i) {
    const fs::path path = folder / ("v" + std::to_string(i) + ".mp4");
    if (!fs::exists(path)) render_file(path, i);
  }
  return folder;
}

Corpus load_corpus(const fs::path& folder) {
  Corpus corpus;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".mp4") corpus.files.push_back(entry.path());
  }
  std::sort(corpus.files.begin(), corpus.files.end());
  for (const fs::path& path : corpus.files) corpus.indices.push_back(media::index_file(path));
  std::mt19937 random(0);
  for (int i = 0; i < kClips && !corpus.files.empty(); ++i) {
    const size_t file = i % corpus.files.size();
    const int64_t starts =
        std::max<int64_t>(1, std::min<int64_t>(280, corpus.indices[file].frames() - kFrames));
    corpus.plan.emplace_back(file, static_cast<int64_t>(random() % starts));
  }
  return corpus;
}

media::DecodeRequest clip_request(int64_t start, uint8_t* out) {
  media::DecodeRequest request;
  media::ClipRequest clip;
  for (int64_t i = 0; i < kFrames; ++i) clip.frame_indices.push_back(start + i);
  clip.out = out;
  request.clips.push_back(clip);
  request.height = kHeight;
  request.width = kWidth;
  return request;
}

enum Parts { kVideo = 1, kAudio = 2, kMel = 4, kIndexing = 8 };

void clips(benchmark::State& state, const Corpus& corpus, int parts) {
  media::MediaReader reader;
  media::LogMel mel({});
  std::vector<uint8_t> frames(size_t{3} * kFrames * kHeight * kWidth);
  std::vector<float> image(256 * 256);
  size_t next = 0;
  for (auto _ : state) {
    const auto [file, start] = corpus.plan[next++ % corpus.plan.size()];
    media::DecodeRequest request = clip_request(start, frames.data());
    if (!(parts & kVideo)) request.clips.clear();
    if (parts & kAudio) request.sample_rate = 24000;
    const media::VideoIndex fresh =
        parts & kIndexing ? media::index_file(corpus.files[file]) : media::VideoIndex{};
    const media::VideoIndex& index = parts & kIndexing ? fresh : corpus.indices[file];
    const media::Decoded decoded = reader.read(corpus.files[file], index, request);
    if (decoded.status != media::FileStatus::kOk) {
      state.SkipWithError((corpus.files[file].string() + ": " + decoded.message).c_str());
      break;
    }
    if (parts & kMel) mel.image(decoded.audio, image);
    benchmark::DoNotOptimize(frames.data());
    benchmark::DoNotOptimize(image.data());
  }
  state.counters["clips_per_second"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void indexing(benchmark::State& state, const Corpus& corpus) {
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(media::index_file(corpus.files[next++ % corpus.files.size()]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const char* from_environment = std::getenv("AVBENCH_BENCH_MEDIA");
  const Corpus corpus = load_corpus(argc > 1           ? fs::path(argv[1])
                                    : from_environment ? fs::path(from_environment)
                                                       : render_corpus());
  if (corpus.files.empty()) {
    std::cerr << "no *.mp4 file to measure with\n";
    return 2;
  }
  const auto add = [&](const char* name, int parts) {
    benchmark::RegisterBenchmark(
        name, [&corpus, parts](benchmark::State& state) { clips(state, corpus, parts); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->MinTime(2);
  };
  add("clip+track+log_mel", kVideo | kAudio | kMel);
  add("index+clip+track+log_mel", kVideo | kAudio | kMel | kIndexing);
  add("clip", kVideo);
  add("track", kAudio);
  add("track+log_mel", kAudio | kMel);
  benchmark::RegisterBenchmark("index", [&](benchmark::State& state) {
    indexing(state, corpus);
  })->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
}
