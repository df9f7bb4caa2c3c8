#include "data/loader.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "data/fixtures.h"
#include "data/magma.h"
#include "data/resize.h"
#include "data/single_file.h"
#include "io/message.h"

namespace avbench::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Views three_views() {
  Views views = base_views();
  views.push_back({"second", Modality::kVideo, ViewTime::kIndependent});
  return views;
}

std::vector<LoadedBatch> load_all(const std::shared_ptr<const Dataset>& dataset,
                                  const BatchSampler& sampler, const LoaderOptions& options) {
  Loader loader(dataset, sampler, options);
  std::vector<LoadedBatch> batches;
  while (loader.batches_left() > 0) batches.push_back(loader.next());
  return batches;
}

void expect_equal(const LoadedBatch& a, const LoadedBatch& b) {
  EXPECT_EQ(a.requests, b.requests);
  EXPECT_TRUE(at::equal(a.labels, b.labels));
  EXPECT_TRUE(at::equal(a.batch.index, b.batch.index));
  ASSERT_EQ(a.batch.video.size(), b.batch.video.size());
  ASSERT_EQ(a.batch.audio.size(), b.batch.audio.size());
  for (const auto& [name, tensor] : a.batch.video) {
    EXPECT_TRUE(at::equal(tensor, b.batch.video.at(name))) << name;
  }
  for (const auto& [name, tensor] : a.batch.audio) {
    EXPECT_TRUE(at::equal(tensor, b.batch.audio.at(name))) << name;
  }
}

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() { folder_.write_good_files(); }
  DataFolder folder_;
};

// The oracle asks the media layer for single frames and computes each value by its definition.
TEST_F(LoaderTest, RowsHoldTheFileAsTheRequestSays) {
  const auto dataset = folder_.open(0);
  const config::ClipConfig clip = small_clip();
  const SampleRequest request{.index = 4, .clip = 2, .clips = 3};
  const auto loaded = load_batch(*dataset, Split::kTrain, base_views(), {request});
  const Sample& sample = dataset->sample(Split::kTrain, 4);
  ASSERT_EQ(sample.frames, 25);  // train/drum/f1.mp4: the last clip begins at 25 - 11

  const Tensor video = loaded.batch.video.at(kBaseView);
  ASSERT_EQ(video.sizes(), (std::vector<int64_t>{1, 3, 6, 16, 16}));
  media::MediaReader reader;
  const media::VideoIndex index = media::index_file(sample.path);
  std::vector<float> audio;
  for (int64_t t = 0; t < clip.frames; ++t) {
    std::vector<uint8_t> frame(24 * 32 * 3);
    media::Decoded decoded = reader.read(
        sample.path, index,
        {.clips = {{{14 + 2 * t}, frame.data()}}, .height = 24, .width = 32, .sample_rate = 8000});
    ASSERT_EQ(decoded.status, media::FileStatus::kOk);
    audio = decoded.audio;
    const Tensor pixels = at::from_blob(frame.data(), {24, 32, 3}, at::kByte);
    const Tensor expected = pixels.slice(0, 4, 20).slice(1, 8, 24).to(at::kDouble) / 255;
    const Tensor got = video[0].select(1, t).permute({1, 2, 0}).to(at::kDouble);
    EXPECT_TRUE(at::allclose(got, expected, 0, 1e-7)) << t;
  }

  media::LogMel log_mel({.sample_rate = 8000,
                         .n_fft = 512,
                         .window = 128,
                         .hop = 128,
                         .bands = 32,
                         .f_max = 4000,
                         .rows = 32,
                         .columns = 32});
  std::vector<float> image(32 * 32);
  log_mel.image(audio, image);
  const Tensor resized = at::upsample_bilinear2d(at::from_blob(image.data(), {1, 1, 32, 32}),
                                                 at::IntArrayRef{24, 30}, false)[0][0];
  const Tensor got = loaded.batch.audio.at(kBaseView);
  ASSERT_EQ(got.sizes(), (std::vector<int64_t>{1, 3, 1, 20, 20}));
  for (int64_t channel = 0; channel < 3; ++channel) {
    const Tensor crop = resized.slice(0, 2, 22).slice(1, 10, 30);  // the last of three over 30 - 20
    EXPECT_TRUE(at::allclose(got[0][channel][0], crop, 1e-5, 1e-6));
  }
}

TEST_F(LoaderTest, BatchesAreLaidOutForTheEncoders) {
  const auto dataset = folder_.open(64);
  const auto loaded =
      load_batch(*dataset, Split::kTrain, three_views(), training_sampler(6, 4, 1).requests(0));
  for (const auto& [name, tensor] : loaded.batch.video) {
    EXPECT_TRUE(tensor.is_contiguous(at::MemoryFormat::ChannelsLast3d)) << name;
    EXPECT_GE(tensor.min().item<float>(), 0);
    EXPECT_LE(tensor.max().item<float>(), 1);
    EXPECT_GT(tensor.max().item<float>(), 0.8);
  }
  EXPECT_TRUE(loaded.batch.audio.at(kBaseView).is_contiguous(at::MemoryFormat::ChannelsLast3d));
  EXPECT_FALSE(at::equal(loaded.batch.video.at(kBaseView), loaded.batch.video.at("second")));
  for (int64_t row = 0; row < 4; ++row) {
    EXPECT_EQ(loaded.labels[row].item<int64_t>(),
              dataset->sample(Split::kTrain, loaded.batch.index[row].item<int64_t>()).label);
  }
}

TEST_F(LoaderTest, DeliversTheSameForAnyNumberOfWorkersWithAndWithoutCache) {
  const auto cached = folder_.open(64), uncached = folder_.open(0);
  ASSERT_TRUE(cached->cache() && !uncached->cache());
  for (const BatchSampler& sampler : {training_sampler(6, 4, 3), evaluation_sampler(6, 3, 4)}) {
    LoaderOptions options{.views = three_views(), .first_batch = 1, .batch_count = 4};
    const auto expected = load_all(uncached, sampler, options);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(expected[i].requests, sampler.requests(1 + static_cast<int64_t>(i)));
    }
    for (const auto& dataset : {cached, uncached}) {
      for (const int workers : {1, 2, 5}) {
        for (const int prefetch : {1, 3}) {
          options.workers = workers;
          options.prefetch = prefetch;
          const auto batches = load_all(dataset, sampler, options);
          ASSERT_EQ(batches.size(), expected.size());
          for (size_t i = 0; i < batches.size(); ++i) expect_equal(batches[i], expected[i]);
        }
      }
    }
  }
}

TEST_F(LoaderTest, ASecondOpenFillsItsCacheWhenAsked) {
  const auto first = folder_.open(64), second = folder_.open(64);  // nothing is decoded at once
  const auto requests = training_sampler(6, 6, 3).requests(2);
  const auto expected = load_batch(*first, Split::kTrain, three_views(), requests);
  ASSERT_NE(second->cache(), nullptr);
  expect_equal(load_batch(*second, Split::kTrain, three_views(), requests), expected);
  // What was loaded is in memory now: the files are not needed any more.
  for (const Sample& sample : second->samples(Split::kTrain)) {
    std::filesystem::remove(sample.path);
  }
  expect_equal(load_batch(*second, Split::kTrain, three_views(), requests), expected);
}

TEST_F(LoaderTest, LoadsOnlyWhatIsWanted) {
  const auto dataset = folder_.open(0);
  const auto requests = training_sampler(6, 3, 3).requests(0);
  const auto both = load_batch(*dataset, Split::kTrain, base_views(), requests);
  const auto video = load_batch(*dataset, Split::kTrain, {{kBaseView, Modality::kVideo}}, requests);
  const auto audio = load_batch(*dataset, Split::kTrain, {{kBaseView, Modality::kAudio}}, requests);
  EXPECT_TRUE(video.batch.audio.empty());
  EXPECT_TRUE(audio.batch.video.empty());
  EXPECT_TRUE(at::equal(video.batch.video.at(kBaseView), both.batch.video.at(kBaseView)));
  EXPECT_TRUE(at::equal(audio.batch.audio.at(kBaseView), both.batch.audio.at(kBaseView)));
  EXPECT_THAT(io::user_error([&] {
                load_batch(*dataset, Split::kTrain,
                           {{kBaseView, Modality::kVideo}, {kBaseView, Modality::kVideo}},
                           requests);
              }),
              HasSubstr("twice"));
}

TEST_F(LoaderTest, AFileAloneLooksAsItDoesInItsDataSet) {
  const auto dataset = folder_.open(64);
  const config::SpectrogramConfig spectrogram = small_spectrogram();
  const Sample sample = open_file({folder_ / "train/bell/f2.mp4"},
                                  {.clip = small_clip(), .spectrogram = spectrogram});
  for (const SampleRequest& request : {SampleRequest{.index = 2, .clip = 1, .clips = 4},
                                       SampleRequest{.index = 2, .seed = 8, .epoch = 3}}) {
    const Batch expected = load_batch(*dataset, Split::kTrain, three_views(), {request}).batch;
    const Batch got = view_file(sample, request, three_views(), small_clip(), spectrogram);
    EXPECT_TRUE(at::equal(got.video.at(kBaseView), expected.video.at(kBaseView)));
    EXPECT_TRUE(at::equal(got.video.at("second"), expected.video.at("second")));
    EXPECT_TRUE(at::equal(got.audio.at(kBaseView), expected.audio.at(kBaseView)));
  }
  write_movie(folder_ / "silent.mp4", {.audio = false});
  EXPECT_THAT(io::user_error([&] {
                open_file({folder_ / "silent.mp4"},
                          {.clip = small_clip(), .spectrogram = spectrogram});
              }),
              AllOf(HasSubstr("silent.mp4"), HasSubstr("no_audio")));
}

TEST_F(LoaderTest, RepeatsTheSpectrogramAlongTimeIfConfigured) {
  config::SpectrogramConfig repeated = small_spectrogram();
  repeated.time = config::SpectrogramConfig::Time::kRepeat;
  const auto once = folder_.open(64);
  const auto many =
      Dataset::open({.source = folder_.source().string()}, small_clip(), repeated, {});
  const auto requests = training_sampler(6, 2, 3).requests(0);
  const Tensor frame =
      load_batch(*once, Split::kTrain, base_views(), requests).batch.audio.at(kBaseView);
  const Tensor clip =
      load_batch(*many, Split::kTrain, base_views(), requests).batch.audio.at(kBaseView);
  EXPECT_TRUE(at::equal(clip, frame.expand({2, 3, 6, 20, 20})));
}

// Training views of all files, spectrograms as `config` has them.
Tensor audio_of(const DataFolder& folder, const config::SpectrogramConfig& config,
                int64_t cache_mib = 0) {
  const auto dataset = Dataset::open({.source = folder.source().string()}, small_clip(), config,
                                     {.cache_mib = cache_mib});
  return load_batch(*dataset, Split::kTrain, base_views(), training_sampler(6, 6, 3).requests(0))
      .batch.audio.at(kBaseView);
}

TEST_F(LoaderTest, GivesTheSpectrogramOneChannelIfConfigured) {
  config::SpectrogramConfig config = small_spectrogram();
  const Tensor three = audio_of(folder_, config);
  config.channels = 1;
  config.time = config::SpectrogramConfig::Time::kRepeat;
  const Tensor one = audio_of(folder_, config);
  ASSERT_EQ(one.sizes(), (std::vector<int64_t>{6, 1, 6, 20, 20}));
  EXPECT_TRUE(at::equal(one.expand({6, 3, 6, 20, 20}), three.expand({6, 3, 6, 20, 20})));
}

TEST_F(LoaderTest, ColoursTheSpectrogramIfConfigured) {
  config::SpectrogramConfig config = small_spectrogram();
  config.colour = config::SpectrogramConfig::Colour::kMagma;
  config.resize = {32, 32};
  config.crop = 32;  // nothing is cut away
  const Tensor audio = audio_of(folder_, config);
  ASSERT_TRUE(audio.is_contiguous(at::MemoryFormat::ChannelsLast3d));
  std::vector<int64_t> entries(256);
  for (int64_t i = 0; i < 256; ++i) entries[i] = magma(i);
  const Tensor rgb = (audio.select(2, 0) * 255).round().to(at::kLong);  // [6, 3, 32, 32]
  const Tensor colours = rgb.select(1, 0) * 65536 + rgb.select(1, 1) * 256 + rgb.select(1, 2);
  EXPECT_TRUE(at::isin(colours, at::tensor(entries)).all().item<bool>());
  EXPECT_GT(std::get<0>(at::_unique(colours)).numel(), 30);
  EXPECT_TRUE(at::equal(audio, audio_of(folder_, config, 64)));
}

// resize equal to size: the crop is taken from the spectrogram as it was computed.
TEST_F(LoaderTest, CropsTheSpectrogramDirectlyIfItIsNotResized) {
  config::SpectrogramConfig config = small_spectrogram();
  config.resize = config.size;
  const auto dataset =
      Dataset::open({.source = folder_.source().string()}, small_clip(), config, {.cache_mib = 0});
  const SampleRequest request = training_sampler(6, 6, 3).requests(0)[2];
  const Sample& sample = dataset->sample(Split::kTrain, request.index);
  const media::Decoded decoded =
      media::MediaReader().read(sample.path, *sample.index, {.sample_rate = 8000});
  std::vector<float> whole = AudioImage(config).make(decoded.audio);
  const Crop crop = place_spectrogram(request, {kBaseView, Modality::kAudio}, config);
  const Tensor expected = at::from_blob(whole.data(), {32, 32})
                              .slice(0, crop.y, crop.y + 20)
                              .slice(1, crop.x, crop.x + 20);
  EXPECT_TRUE(at::equal(audio_of(folder_, config)[2][0][0], expected));
}

// A slow twin: the part's audio decoded once more, the clip's middle from the frame rate (12).
void expect_audio_around_clips(const Dataset& dataset, const SampleRequest& request) {
  const config::SpectrogramConfig& config = dataset.spectrogram();
  const Sample& sample = dataset.sample(Split::kTrain, request.index);
  const auto loaded = load_batch(dataset, Split::kTrain, three_views(), {request});
  const std::vector<float> audio =
      media::MediaReader()
          .read(sample.path, *sample.index, {.sample_rate = 8000, .segment = sample.segment})
          .audio;
  const int64_t start = place_clip(request, {}, sample.frames, small_clip()).start;
  // Frames start ... start + 10, each a twelfth of a second: the middle one's time.
  const double centre =
      static_cast<double>(sample.first_frame + start + 5) / 12 - sample.segment.first;
  std::vector<float> piece(4000);
  for (int64_t i = 0; i < 4000; ++i) {
    const int64_t at = std::llround(8000 * centre) - 2000 + i;
    if (at >= 0 && at < static_cast<int64_t>(audio.size())) piece[i] = audio[at];
  }
  std::vector<float> image = AudioImage(config).make(piece);
  const Crop crop = place_spectrogram(request, {kBaseView, Modality::kAudio}, config);
  const Tensor expected = at::from_blob(image.data(), {24, 30})
                              .slice(0, crop.y, crop.y + 20)
                              .slice(1, crop.x, crop.x + 20);
  EXPECT_TRUE(at::equal(loaded.batch.audio.at(kBaseView)[0][2][0], expected)) << sample.id;
}

TEST_F(LoaderTest, TakesTheAudioAroundTheClipIfConfigured) {
  config::SpectrogramConfig config = small_spectrogram();
  config.audio = config::SpectrogramConfig::Audio::kClip;
  config.audio_seconds = 0.5;
  const std::filesystem::path parts = folder_.source().parent_path() / "parts.csv";
  write_text(parts,
             "path,label,split,start,end\n"
             "source/train/bell/f2.mp4,bell,train,0.5,2\n"
             "source/train/drum/f1.mp4,drum,train,,1.5\n"
             "source/val/drum/v.mp4,drum,val,,\n");
  for (const auto& source : {folder_.source(), parts}) {
    for (const int64_t cache_mib : {0, 64}) {
      const auto dataset = Dataset::open({.source = source.string()}, small_clip(), config,
                                         {.cache_mib = cache_mib});
      for (int64_t index = 0; index < dataset->size(Split::kTrain); ++index) {
        expect_audio_around_clips(*dataset, {.index = index, .seed = 5});
        for (const int64_t clip : {0, 1, 2}) {
          expect_audio_around_clips(*dataset, {.index = index, .clip = clip, .clips = 3});
        }
      }
    }
  }
  config.kind = config::SpectrogramConfig::Kind::kRaw;
  const auto raw =
      Dataset::open({.source = folder_.source().string()}, small_clip(), config, {.cache_mib = 64});
  expect_audio_around_clips(*raw, {.index = 3, .seed = 5});
}

TEST_F(LoaderTest, HeldBatchesKeepTheirValuesAndFreedMemoryIsUsedAgain) {
  const auto dataset = folder_.open(64);
  const BatchSampler sampler = training_sampler(6, 2, 5);
  const LoaderOptions options{.batch_count = 30, .workers = 2, .prefetch = 2};
  const auto held = load_all(dataset, sampler, options);
  for (size_t i = 0; i < held.size(); ++i) {
    expect_equal(held[i], load_batch(*dataset, Split::kTrain, base_views(),
                                     sampler.requests(static_cast<int64_t>(i))));
  }
  Loader loader(dataset, sampler, options);
  std::set<const void*> places;
  for (int i = 0; i < 30; ++i) places.insert(loader.next().batch.video.at(kBaseView).data_ptr());
  EXPECT_LE(places.size(), 4u);  // the window and the one being delivered
}

TEST_F(LoaderTest, StopsWithTheNameOfAFileThatChangedMeanwhile) {
  const auto dataset = folder_.open(0);
  const BatchSampler sampler{
      [](int64_t batch) { return std::vector<SampleRequest>{{.index = batch}}; }, 6};
  write_text(folder_ / "train/bell/f2.mp4", "changed");
  Loader loader(dataset, sampler, {.batch_count = 6, .workers = 3});
  EXPECT_EQ(loader.next().requests[0].index, 0);
  EXPECT_EQ(loader.next().requests[0].index, 1);
  for (int i = 0; i < 2; ++i) {
    try {
      loader.next();
      FAIL() << "no exception";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("train/bell/f2.mp4"));
    }
  }
}

TEST_F(LoaderTest, PassesOnWhatThePlanThrows) {
  const BatchSampler sampler{
      [](int64_t) -> std::vector<SampleRequest> { throw std::domain_error("sampler"); }, 1};
  Loader loader(folder_.open(64), sampler, {.batch_count = 1, .workers = 2});
  EXPECT_THROW(loader.next(), std::domain_error);
}

TEST_F(LoaderTest, CanBeEndedAtAnyTime) {
  const auto dataset = folder_.open(0);
  for (int taken = 0; taken < 4; ++taken) {
    Loader loader(dataset, training_sampler(6, 2, 0),
                  {.batch_count = 1000, .workers = 3, .prefetch = 4});
    for (int i = 0; i < taken; ++i) loader.next();
  }
  Loader empty(dataset, training_sampler(6, 2, 0), {.batch_count = 0});
  EXPECT_THROW(empty.next(), std::logic_error);
}

TEST(ResizeBilinear, AgreesWithLibTorch) {
  const Tensor plane = at::rand({19, 23});
  for (const auto& [rows, columns] :
       {std::pair<int64_t, int64_t>{40, 60}, {7, 9}, {19, 23}, {1, 50}}) {
    const auto got = resize_bilinear({plane.data_ptr<float>(), 19 * 23}, {19, 23}, {rows, columns});
    const Tensor expected =
        at::upsample_bilinear2d(plane.view({1, 1, 19, 23}), at::IntArrayRef{rows, columns}, false);
    ASSERT_EQ(static_cast<int64_t>(got.size()), rows * columns);
    EXPECT_TRUE(at::allclose(at::tensor(got), expected.flatten(), 1e-5, 1e-6)) << rows;
  }
}

}  // namespace
}  // namespace avbench::data
