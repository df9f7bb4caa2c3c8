#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include "app/run_avbench.h"
#include "data/fixtures.h"
#include "data/single_file.h"
#include "tensors/tensor_file.h"

namespace avbench::app {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// small_clip() and small_spectrogram() as settings.
const char* const kSettings =
    " --set protocol.clip.frames=6 --set protocol.clip.stride=2 --set "
    "'protocol.clip.resize=[24,32]'"
    " --set protocol.clip.crop=16 --set protocol.spectrogram.sample_rate=8000"
    " --set protocol.spectrogram.n_fft=512 --set protocol.spectrogram.window=128"
    " --set protocol.spectrogram.hop=128 --set protocol.spectrogram.bands=32"
    " --set protocol.spectrogram.f_max=4000 --set 'protocol.spectrogram.size=[32,32]'"
    " --set 'protocol.spectrogram.resize=[24,30]' --set protocol.spectrogram.crop=20";

// The pixels of a PNG file.
class Png {
 public:
  explicit Png(const std::filesystem::path& file) {
    image_.version = PNG_IMAGE_VERSION;
    EXPECT_TRUE(png_image_begin_read_from_file(&image_, file.c_str()));
    image_.format = PNG_FORMAT_RGB;
    pixels_.resize(PNG_IMAGE_SIZE(image_));
    EXPECT_TRUE(png_image_finish_read(&image_, nullptr, pixels_.data(), 0, nullptr));
  }
  int at(int64_t y, int64_t x, int64_t channel) const {
    return pixels_.at((y * image_.width + x) * 3 + channel);
  }

 private:
  png_image image_{};
  std::vector<uint8_t> pixels_;
};

class DataCommands : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  data::DataFolder folder_;
};

TEST_F(DataCommands, SampleWritesWhatTheNetworksSee) {
  data::write_movie(folder_ / "a.mp4");
  const data::Sample sample = data::open_file(
      {folder_ / "a.mp4"}, {.clip = data::small_clip(), .spectrogram = data::small_spectrogram()});
  const auto expect_view = [&](const std::string& options, const data::SampleRequest& request) {
    const Outcome outcome = run_avbench("sample " + path("a.mp4") + kSettings + " --out " +
                                        path("s.safetensors") + " " + options);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const auto tensors = tensors::load_tensors(folder_ / "s.safetensors");
    const Batch expected = data::view_file(sample, request, base_views(), data::small_clip(),
                                           data::small_spectrogram());
    EXPECT_EQ(tensors.at("video").sizes(), (std::vector<int64_t>{3, 6, 16, 16}));
    EXPECT_EQ(tensors.at("audio").sizes(), (std::vector<int64_t>{3, 1, 20, 20}));
    EXPECT_TRUE(at::equal(tensors.at("video"), expected.video.at(kBaseView)[0]));
    EXPECT_TRUE(at::equal(tensors.at("audio"), expected.audio.at(kBaseView)[0]));
  };
  expect_view("", {.clip = 0, .clips = 1});
  expect_view("--clip 2 --clips 3", {.clip = 2, .clips = 3});
  expect_view("--view train --seed 5 --epoch 2 --index 9", {.index = 9, .seed = 5, .epoch = 2});
}

TEST_F(DataCommands, SampleDescribesAndDraws) {
  data::write_movie(folder_ / "a.mp4");
  const std::string command = "sample " + path("a.mp4") + kSettings;
  const Outcome text = run_avbench(command);
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, AllOf(HasSubstr("24 frames of 64x48"), HasSubstr("[3,6,16,16]")));
  const json description = json::parse(run_avbench(command + " --json").out);
  EXPECT_EQ(description["start"], 6);  // the middle of 24 - 11
  EXPECT_EQ(description["audio"]["shape"], json({3, 1, 20, 20}));
}

// Enlarged pixel by pixel: a frame of 16 pixels six times, below them the spectrogram of 20 pixels
// 16 times, right of its labels and with its first row, the lowest band, at the bottom.
TEST_F(DataCommands, SampleDrawsFramesAndSpectrogramForTheEye) {
  data::write_movie(folder_ / "a.mp4");
  const Outcome outcome = run_avbench("sample " + path("a.mp4") + kSettings + " --png " +
                                      path("a.png") + " --out " + path("a.safetensors"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Png png(folder_ / "a.png");
  const auto tensors = tensors::load_tensors(folder_ / "a.safetensors");
  const Tensor video = (tensors.at("video") * 255).round(), audio = tensors.at("audio") * 255;
  for (const int64_t y : {0, 7, 15}) {
    for (const int64_t x : {0, 3, 15}) {
      const int64_t left = 2 * (16 * 6 + 6) + 6 * x + 5;  // of the third frame
      for (int64_t c = 0; c < 3; ++c) {
        EXPECT_EQ(png.at(6 * y + 3, left, c), video[c][2][y][x].item<float>()) << y << " " << x;
      }
    }
  }
  const int64_t frames = 16 * 6 + 14 + 4 + 6;  // their label and gap included
  for (const int64_t row : {0, 11, 19}) {
    const int64_t y = frames + 7 + 16 * (19 - row) + 8;
    EXPECT_EQ(png.at(y, 7 * 12 + 5 + 16 * 4 + 8, 0), std::lround(audio[0][0][row][4].item<float>()))
        << row;
  }
}

TEST_F(DataCommands, SampleTakesAPartOfAFile) {
  data::write_movie(folder_ / "a.mp4");
  const std::string command =
      "sample " + path("a.mp4") + kSettings + " --out " + path("s.safetensors");
  ASSERT_EQ(run_avbench(command + " --start 0.5 --end 1.75").exit_code, 0);
  const data::Sample part =
      data::open_file({folder_ / "a.mp4", 0.5, 1.75},
                      {.clip = data::small_clip(), .spectrogram = data::small_spectrogram()});
  EXPECT_EQ(part.first_frame, 6);  // at 12 frames a second
  EXPECT_EQ(part.frames, 15);
  const Batch expected = data::view_file(part, {.clip = 0, .clips = 1}, base_views(),
                                         data::small_clip(), data::small_spectrogram());
  EXPECT_TRUE(at::equal(tensors::load_tensors(folder_ / "s.safetensors").at("video"),
                        expected.video.at(kBaseView)[0]));
  const Outcome backwards = run_avbench(command + " --start 1 --end 0.5");
  EXPECT_EQ(backwards.exit_code, 2);
  EXPECT_THAT(backwards.err, HasSubstr("the part's end, 0.5 s, is not after its start, 1 s"));
}

TEST_F(DataCommands, SampleRefusesAnUnusableFile) {
  data::write_text(folder_ / "text.mp4", "text");
  const Outcome text = run_avbench("sample " + path("text.mp4"));
  EXPECT_EQ(text.exit_code, 2);
  EXPECT_THAT(text.err, AllOf(HasSubstr("text.mp4"), HasSubstr("corrupt")));
  EXPECT_THAT(text.out, IsEmpty());
  EXPECT_EQ(run_avbench("sample " + path("none.mp4")).exit_code, 2);
  EXPECT_THAT(run_avbench("sample x.mp4 --set protocol.clip.fames=3").err,
              HasSubstr("did you mean 'frames'"));
  EXPECT_EQ(run_avbench("sample x.mp4 --view tset").exit_code, 2);
}

TEST_F(DataCommands, IndexCountsAndListsBadFiles) {
  folder_.write_good_files(2);
  data::write_text(folder_ / "train/bell/text.mp4", "text");
  data::write_movie(folder_ / "train/drum/silent.mp4", {.audio = false});
  const std::string command = "dataset index " + folder_.source().string() + kSettings;
  const Outcome outcome = run_avbench(command + " --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json result = json::parse(outcome.out);
  EXPECT_EQ(result["status"], json({{"ok", 5},
                                    {"damaged", 0},
                                    {"no_audio", 1},
                                    {"beyond_audio", 0},
                                    {"silent", 0},
                                    {"not_finite", 0},
                                    {"too_short", 0},
                                    {"corrupt", 1},
                                    {"unsupported", 0},
                                    {"unreadable", 0},
                                    {"timeout", 0}}));
  EXPECT_EQ(result["splits"]["train"]["classes"], json({{"bell", 2}, {"drum", 2}}));
  ASSERT_EQ(result["excluded"].size(), 2u);
  EXPECT_EQ(result["excluded"][1]["id"], "train/drum/silent.mp4");
  EXPECT_THAT(run_avbench(command).out, AllOf(HasSubstr("text.mp4"), HasSubstr("no_audio")));
  EXPECT_EQ(run_avbench(command + " --set protocol.data.on_bad=fail").exit_code, 2);
  EXPECT_THAT(run_avbench(command).out,
              AllOf(HasSubstr("val    1 usable files\n"),
                    HasSubstr("test   0 usable files: `avbench compare` needs --validation\n")));
  EXPECT_EQ(run_avbench("dataset index " + path("nowhere")).exit_code, 2);
}

TEST_F(DataCommands, IndexListsCopiesInOtherSplits) {
  folder_.write_good_files(1);
  std::filesystem::copy_file(folder_ / "train/drum/f0.mp4", folder_ / "val/drum/again.mp4");
  const std::string command = "dataset index " + folder_.source().string() + kSettings;
  const Outcome outcome = run_avbench(command + " --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["copies"], json::parse(R"([{"a": "train/drum/f0.mp4",
      "a_split": "train", "b": "val/drum/again.mp4", "b_split": "val"}])"));
  const std::string pair = "train train/drum/f0.mp4 and val val/drum/again.mp4";
  EXPECT_THAT(outcome.err, HasSubstr(pair));
  EXPECT_THAT(run_avbench(command).out, HasSubstr(pair));
}

TEST_F(DataCommands, IndexRefusesSplitsThatOverlap) {
  data::write_movie(folder_ / "a.mp4", {.frames = 48});
  data::write_text(folder_ / "m.csv",
                   "path,label,split,start,end\na.mp4,x,train,0,3\na.mp4,x,val,2,4\n");
  const Outcome outcome = run_avbench("dataset index " + path("m.csv") + kSettings);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("train a.mp4#0-3 (0-3 s) and val a.mp4#2-4 (2-4 s)"));
}

TEST_F(DataCommands, IndexRefusesWhatWouldHideAClass) {
  folder_.write_good_files(1);
  std::filesystem::create_directory_symlink("hum", folder_ / "train/hum");
  const Outcome outcome = run_avbench("dataset index " + folder_.source().string() + kSettings);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("train/hum"), HasSubstr("links")));
}

TEST_F(DataCommands, BenchLoaderCountsClips) {
  for (const char* name : {"plain/a.mp4", "plain/b.mp4"}) data::write_movie(folder_ / name);
  const Outcome outcome =
      run_avbench("bench loader " + path("plain") + kSettings +
                  " --json --clips 4 --batch 2 --repetitions 1 --min-time 0.01");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json result = json::parse(outcome.out);
  ASSERT_EQ(result["benchmarks"].size(), 2u);
  for (const json& benchmark : result["benchmarks"]) {
    EXPECT_GT(benchmark["clips_per_second"].get<double>(), 0);
  }
  // The index of the plain folder's temporary manifest is of no use to anybody.
  const auto cache = folder_.source().parent_path() / "cache";
  EXPECT_TRUE(!std::filesystem::exists(cache) || std::filesystem::is_empty(cache));
}

}  // namespace
}  // namespace avbench::app
