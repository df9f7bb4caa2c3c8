// avbench sample FILE: exactly what the networks would see of one file.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/data_options.h"
#include "app/sample_image.h"
#include "data/single_file.h"
#include "io/error.h"
#include "io/json.h"
#include "tensors/tensor_file.h"

namespace avbench::app {
namespace {

struct SampleArguments {
  std::string file, out, png;
  std::string view = "test";
  uint64_t seed = 0;
  int64_t epoch = 0, index = 0, clip = 0, clips = 1;
  std::optional<int64_t> crop;
  std::optional<double> start, end;
  bool json = false;
};

data::SampleRequest request_of(const SampleArguments& arguments, const config::TestConfig& test) {
  if (arguments.view == "train") {
    return {.index = arguments.index, .seed = arguments.seed, .epoch = arguments.epoch};
  }
  if (arguments.clip >= arguments.clips) {
    throw io::UserError(
        fmt::format("--clip: got {}, expected less than --clips, which is {}; clips are "
                    "counted from 0",
                    arguments.clip, arguments.clips));
  }
  const int64_t crop = arguments.crop.value_or(test.crops / 2);
  if (crop >= test.crops) {
    throw io::UserError(fmt::format(
        "--crop: got {}, expected less than protocol.test.crops, which is {}; crops are "
        "counted from 0",
        crop, test.crops));
  }
  return {.clip = arguments.clip,
          .clips = arguments.clips,
          .crop = crop,
          .crops = test.crops,
          .spread = test.spectrogram_crops == config::TestConfig::SpectrogramCrops::kSpread};
}

io::Json describe_tensor(const Tensor& tensor) {
  return {{"shape", std::vector<int64_t>(tensor.sizes().begin(), tensor.sizes().end())},
          {"min", tensor.min().item<float>()},
          {"max", tensor.max().item<float>()},
          {"mean", tensor.mean().item<float>()},
          {"std", tensor.std(/*unbiased=*/false).item<float>()}};
}

io::Json describe(const data::Sample& sample, const data::SampleRequest& request,
                  const config::Experiment& experiment, const Tensor& video, const Tensor& audio) {
  const data::ClipPlace place =
      data::place_clip(request, {}, sample.frames, experiment.protocol.clip, sample.starts);
  const bool damaged =
      sample.index->damaged_video_packets + sample.index->damaged_audio_packets > 0;
  const data::Crop crop = data::place_spectrogram(request, {kBaseView, Modality::kAudio},
                                                  experiment.protocol.spectrogram);
  return {{"file", sample.path.string()},
          {"status",
           std::string(to_string(damaged ? media::FileStatus::kDamaged : media::FileStatus::kOk))},
          {"frames", sample.frames},
          {"width", sample.index->width},
          {"height", sample.index->height},
          {"fps", sample.index->fps},
          {"sample_rate", sample.index->sample_rate},
          {"seconds", sample.index->duration},
          {"start", place.start},
          {"video_crop", {place.crop.y, place.crop.x}},
          {"mirrored", place.mirrored},
          {"audio_crop", {crop.y, crop.x}},
          {"video", describe_tensor(video)},
          {"audio", describe_tensor(audio)}};
}

void print_text(const io::Json& d) {
  fmt::print("file    {}\nstatus  {}\n", d["file"].get<std::string>(),
             d["status"].get<std::string>());
  fmt::print("content {} frames of {}x{} at {:.3f} per second, audio at {} Hz\n",
             d["frames"].get<int64_t>(), d["width"].get<int>(), d["height"].get<int>(),
             d["fps"].get<double>(), d["sample_rate"].get<int>());
  fmt::print("clip    from frame {}, crop at row, column {}{}; spectrogram's crop at {}\n",
             d["start"].get<int64_t>(), d["video_crop"].dump(),
             d["mirrored"].get<bool>() ? ", mirrored" : "", d["audio_crop"].dump());
  for (const char* name : {"video", "audio"}) {
    const io::Json& tensor = d[name];
    fmt::print("{:<7} {} min {:.4f} max {:.4f} mean {:.4f} std {:.4f}\n", name,
               tensor["shape"].dump(), tensor["min"].get<double>(), tensor["max"].get<double>(),
               tensor["mean"].get<double>(), tensor["std"].get<double>());
  }
}

// The colours before they were normalised.
Tensor shown(const Tensor& video, const config::ClipConfig& clip) {
  const auto channels = [](const std::array<double, 3>& values) {
    return at::tensor(at::ArrayRef<double>(values), at::kFloat).view({3, 1, 1, 1});
  };
  return (video * channels(clip.std) + channels(clip.mean)).clamp(0, 1);
}

// In seconds of the file or its part.
SampleImage image_of(const data::Sample& sample, const data::SampleRequest& request,
                     const config::ProtocolConfig& protocol, const Tensor& video,
                     const Tensor& audio) {
  const data::ClipPlace place =
      data::place_clip(request, {}, sample.frames, protocol.clip, sample.starts);
  const auto time_of = [&](int64_t frame) {
    return sample.index->time_of(sample.first_frame + frame) - sample.segment.first;
  };
  const double first = time_of(place.start),
               last = time_of(place.start + data::clip_span(protocol.clip) - 1);
  const double middle = time_of(place.start + data::clip_span(protocol.clip) / 2);
  const config::SpectrogramConfig& spectrogram = protocol.spectrogram;
  const double end = sample.segment.second < 0 ? sample.index->audio_end() : sample.segment.second;
  std::pair<double, double> span = {0, end - sample.segment.first};
  if (spectrogram.audio == config::SpectrogramConfig::Audio::kClip) {
    span = {middle - spectrogram.audio_seconds / 2, middle + spectrogram.audio_seconds / 2};
  }
  return {
      .video = shown(video, protocol.clip),
      .audio = audio,
      .first_second = first,
      .seconds_a_frame =
          (last - first) / static_cast<double>(std::max<int64_t>(1, protocol.clip.frames - 1)),
      .audio_span = span,
      .audio_crop = data::place_spectrogram(request, {kBaseView, Modality::kAudio}, spectrogram)};
}

void run(const SampleArguments& arguments, const DataOptions& options) {
  const config::Experiment experiment = read_settings(options);
  const config::ClipConfig& clip = experiment.protocol.clip;
  const config::SpectrogramConfig& spectrogram = experiment.protocol.spectrogram;
  const data::Sample sample =
      data::open_file({arguments.file, arguments.start, arguments.end},
                      {.clip = clip,
                       .spectrogram = spectrogram,
                       .tolerate_damage = experiment.protocol.data.on_damage ==
                                          config::DataConfig::OnDamage::kTolerate,
                       .formats = experiment.run.formats});
  const data::SampleRequest request = request_of(arguments, experiment.protocol.test);
  const Batch batch = data::view_file(sample, request, base_views(), clip, spectrogram);
  const Tensor video = batch.video.at(kBaseView)[0], audio = batch.audio.at(kBaseView)[0];
  if (!arguments.out.empty())
    tensors::save_tensors(arguments.out, {{"video", video}, {"audio", audio}});
  if (!arguments.png.empty()) {
    write_sample_image(arguments.png, image_of(sample, request, experiment.protocol, video, audio),
                       spectrogram);
  }
  const io::Json description = describe(sample, request, experiment, video, audio);
  if (arguments.json) {
    fmt::print("{}\n", description.dump(2));
  } else if (arguments.out.empty() && arguments.png.empty()) {
    print_text(description);
  }
}

}  // namespace

void add_sample_command(CLI::App& app) {
  auto* command = app.add_subcommand("sample", "Show what the networks would see of one file");
  const auto arguments = std::make_shared<SampleArguments>();
  const auto options = add_data_options(*command);
  const auto natural = CLI::Range(int64_t{0}, int64_t{4294967295});
  command->add_option("FILE", arguments->file, "a video file with audio")->required();
  command->add_option("--view", arguments->view, "test, or a random training view")
      ->check(CLI::IsMember({"test", "train"}))
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "of the training view")->capture_default_str();
  command->add_option("--epoch", arguments->epoch, "of the training view")
      ->check(natural)
      ->capture_default_str();
  command->add_option("--index", arguments->index, "the sample's number in its split (train)")
      ->check(natural)
      ->capture_default_str();
  command->add_option("--clip", arguments->clip, "which of --clips test clips, from 0")
      ->check(natural)
      ->capture_default_str();
  command->add_option("--clips", arguments->clips, "test clips a video; 1: the middle")
      ->check(CLI::Range(int64_t{1}, int64_t{1000}))
      ->capture_default_str();
  command
      ->add_option("--crop", arguments->crop,
                   "which of protocol.test.crops, from 0; default: the centre")
      ->check(natural);
  command->add_option("--start", arguments->start, "seconds: only the part of the file from here")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--end", arguments->end, "seconds: only the part of the file up to here")
      ->check(CLI::PositiveNumber);
  command->add_option("--out", arguments->out,
                      "safetensors file: video [3, T, H, W], audio [3 or 1, 1, H, W]");
  command->add_option(
      "--png", arguments->png,
      "image: the frames with their times, below them the spectrogram with its axes, high "
      "frequencies on top");
  command->add_flag("--json", arguments->json, "print the description as JSON");
  command->callback([arguments, options] { run(*arguments, *options); });
}

}  // namespace avbench::app
