// A comparison that takes a second, on a data set of a few small files.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "app/rendered_data.h"
#include "app/run_avbench.h"

namespace avbench::app {

namespace fs = std::filesystem;
using nlohmann::json;

inline constexpr const char* kConfig = R"(
name: tiny
seeds: [0]
protocol:
  data: {source: DATA}
  clip: {frames: 2, stride: 2, resize: [20, 24], crop: 16}
  spectrogram: {sample_rate: 8000, n_fft: 512, window: 128, hop: 128, bands: 32, f_max: 4000,
                size: [32, 32], resize: [20, 24], crop: 16}
  encoder: {width: 2}
  pretrain: {epochs: 3, batch_size: 4, clip_norm: 1}
  finetune: {epochs: 3, batch_size: 4, optimizer: {lr: 0.01}}
  test: {clips: 2}
  batch_norm: {samples: 8}
run: {checkpoint_every: 5, threads: 1, results: RESULTS}
rows:
  - {name: Baseline-R, baseline: video}
  - {name: SimCLR, method: simclr, params: {hidden_dim: 8, projector_dim: 8}}
  - {name: AVCL, method: avcl, params: {alignment: towers}}
)";

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

class TinyExperiment : public testing::Test {
 protected:
  static void SetUpTestSuite() { shared_ = new io::TempFolder; }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }

  // Shared by all processes: nothing may be changed in it.
  static fs::path data() { return tiny_data(); }

  fs::path configure(const std::string& results, const fs::path& source = data()) {
    fs::path file = folder_ / (results + ".yaml");
    std::ofstream(file) << replaced(replaced(kConfig, "DATA", source.string()), "RESULTS",
                                    (folder_ / results).string());
    return file;
  }

  Outcome run(const std::string& arguments) const {
    return run_avbench(arguments, "AVBENCH_CACHE=" + (*shared_ / "cache").string());
  }

  json read_json(const std::string& file) const {
    return json::parse(io::read_file(folder_ / file));
  }

  io::TempFolder folder_;
  static inline io::TempFolder* shared_ = nullptr;
};

}  // namespace avbench::app
