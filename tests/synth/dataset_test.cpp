#include "synth/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "io/atomic_file.h"
#include "io/message.h"
#include "io/sha256.h"
#include "io/temp_folder.h"
#include "media/reader.h"
#include "synth/render.h"

namespace avbench::synth {
namespace {

namespace fs = std::filesystem;

SynthOptions small_set(uint64_t seed = 1) {
  SynthOptions options;
  options.files = {16, 8, 8};
  options.seed = seed;
  options.width = options.height = 32;
  options.seconds = 0.5;
  return options;
}

SynthOutcome render(const fs::path& folder, const SynthOptions& options, int threads = 2) {
  return write_synth_dataset(folder, options, threads, [](int64_t, int64_t) {});
}

// Relative path -> SHA-256 of every file.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[fs::relative(entry.path(), folder).string()] = io::sha256_file(entry.path());
    }
  }
  return files;
}

TEST(SynthDataset, SameSeedGivesTheSameBytesWithAnyNumberOfThreads) {
  io::TempFolder temp;
  render(temp / "a", small_set(), 1);
  render(temp / "b", small_set(), 3);
  const auto a = contents(temp / "a");
  EXPECT_EQ(a.size(), 16u + 8 + 8 + 2);
  EXPECT_EQ(a, contents(temp / "b"));
}

TEST(SynthDataset, AnotherSeedGivesOtherFiles) {
  io::TempFolder temp;
  render(temp / "a", small_set(1));
  render(temp / "b", small_set(2));
  const auto b = contents(temp / "b");
  for (const auto& [name, bytes] : contents(temp / "a")) {
    if (!name.ends_with(".mp4")) continue;
    EXPECT_NE(bytes, b.at(name)) << name;
  }
}

TEST(SynthDataset, FoldersAreSplitThenClass) {
  io::TempFolder temp;
  render(temp / "a", small_set());
  for (const char* split : {"train", "val", "test"}) {
    std::set<std::string> classes, expected;
    for (const auto& entry : fs::directory_iterator(temp / "a" / split)) {
      classes.insert(entry.path().filename().string());
    }
    for (int label = 0; label < 8; ++label) expected.insert(synth_class_name(label));
    EXPECT_EQ(classes, expected);
  }
  EXPECT_TRUE(fs::exists(temp / "a" / "train" / "disc-across" / "000008.mp4"));
}

TEST(SynthDataset, CompleteFolderIsLeftAlone) {
  io::TempFolder temp;
  EXPECT_EQ(render(temp / "a", small_set()), SynthOutcome::kRendered);
  const auto time = fs::last_write_time(temp / "a" / "dataset.json");
  EXPECT_EQ(render(temp / "a", small_set()), SynthOutcome::kAlreadyThere);
  EXPECT_EQ(fs::last_write_time(temp / "a" / "dataset.json"), time);
}

TEST(SynthDataset, MissingFilesAreRenderedAgain) {
  io::TempFolder temp;
  render(temp / "a", small_set());
  const auto before = contents(temp / "a");
  fs::remove(temp / "a" / "dataset.json");  // as after an interruption
  io::write_file_atomically(temp / "a" / ".begun.json", describe_synth(small_set()).dump());
  fs::remove(temp / "a" / "val" / "disc-across" / "000000.mp4");
  EXPECT_EQ(render(temp / "a", small_set()), SynthOutcome::kRendered);
  EXPECT_EQ(contents(temp / "a"), before);
}

TEST(SynthDataset, RefusesAFolderWithOtherOptionsAndNamesThem) {
  io::TempFolder temp;
  render(temp / "a", small_set(1));
  const auto before = contents(temp / "a");
  const std::string message = io::user_error([&] { render(temp / "a", small_set(2)); });
  EXPECT_NE(message.find("seed 1 (asked for 2)"), std::string::npos) << message;
  EXPECT_EQ(contents(temp / "a"), before);
}

TEST(SynthDataset, RefusesAFolderOfSomethingElse) {
  io::TempFolder temp;
  std::ofstream(temp / "thesis.txt") << "mine";
  const std::string message = io::user_error([&] { render(temp.path(), small_set()); });
  EXPECT_NE(message.find("is not empty"), std::string::npos) << message;
}

TEST(SynthDataset, RefusesOptionsThatCannotBeRendered) {
  const auto refused = [](auto change) {
    SynthOptions options = small_set();
    change(options);
    return io::user_error([&] { check_synth_options(options); });
  };
  EXPECT_NE(refused([](SynthOptions& o) { o.classes = 17; }).find("17"), std::string::npos);
  EXPECT_NE(refused([](SynthOptions& o) { o.files[1] = 7; }).find("'val'"), std::string::npos);
  EXPECT_NE(refused([](SynthOptions& o) { o.width = 33; }).find("33x32"), std::string::npos);
  EXPECT_NE(refused([](SynthOptions& o) { o.fps = 0; }).find("0 frames"), std::string::npos);
  EXPECT_FALSE(refused([](SynthOptions& o) { o.seconds = 0; }).empty());
}

// Decoded frames are the rendered ones up to compression; the audio lasts as long as the video.
TEST(SynthDataset, FilesDecodeToTheScene) {
  io::TempFolder temp;
  SynthOptions options = small_set();
  options.seconds = 1;
  const Scene scene = make_scene(options, SynthSplit::kTrain, 3);
  write_synth_file(temp / "a.mp4", options, scene);
  const media::VideoIndex index = media::index_file(temp / "a.mp4");
  std::vector<uint8_t> frames(8 * 32 * 32 * 3);
  media::DecodeRequest request;
  request.clips = {media::all_frames(index, frames.data())};
  request.height = request.width = 32;
  request.sample_rate = kSynthSampleRate;
  ASSERT_EQ(request.clips[0].frame_indices.size(), 8u);
  const media::Decoded decoded = media::MediaReader().read(temp / "a.mp4", index, request);
  ASSERT_EQ(decoded.status, media::FileStatus::kOk) << decoded.message;
  const auto expected = render_frames(options, scene);
  double error = 0;
  for (size_t i = 0; i < frames.size(); ++i) error += std::abs(int{frames[i]} - int{expected[i]});
  EXPECT_LT(error / double(frames.size()), 12);
  EXPECT_NEAR(double(decoded.audio.size()), kSynthSampleRate, 2048);
}

}  // namespace
}  // namespace avbench::synth
