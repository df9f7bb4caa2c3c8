#include "data/audio_image.h"

#include <algorithm>
#include <cmath>

#include "data/magma.h"
#include "data/resize.h"

namespace avbench::data {
namespace {

media::LogMelParams log_mel_params(const config::SpectrogramConfig& config) {
  using S = config::SpectrogramConfig;
  const bool linear = config.frequency == S::Frequency::kLinear;
  const bool slaney_scale = config.mel_scale == S::MelScale::kSlaney;
  const bool slaney_norm = config.mel_norm == S::MelNorm::kSlaney;
  const bool decibels = config.scale == S::Scale::kDb;
  return {.sample_rate = static_cast<int>(config.sample_rate),
          .n_fft = static_cast<int>(config.n_fft),
          .window = static_cast<int>(config.window),
          .hop = static_cast<int>(config.hop),
          .frequency = linear ? media::Frequency::kLinear : media::Frequency::kMel,
          .bands = static_cast<int>(config.bands),
          .mel_scale = slaney_scale ? media::MelScale::kSlaney : media::MelScale::kHtk,
          .mel_norm = slaney_norm ? media::MelNorm::kSlaney : media::MelNorm::kNone,
          .f_min = config.f_min,
          .f_max = config.f_max,
          .scale = decibels ? media::PowerScale::kDecibels : media::PowerScale::kLog,
          .rows = static_cast<int>(config.size[0]),
          .columns = static_cast<int>(config.size[1])};
}

std::variant<media::LogMel, media::WaveformImage> make_kind(
    const config::SpectrogramConfig& config) {
  if (config.kind == config::SpectrogramConfig::Kind::kRaw) return media::WaveformImage();
  return media::LogMel(log_mel_params(config));
}

void flip_rows(std::vector<float>& plane, int64_t width) {
  const auto rows = static_cast<int64_t>(plane.size()) / width;
  for (int64_t row = 0; row < rows / 2; ++row) {
    std::swap_ranges(plane.begin() + row * width, plane.begin() + (row + 1) * width,
                     plane.end() - (row + 1) * width);
  }
}

// Values in [0, 1], rounded to 256 steps, as red, green and blue planes.
std::vector<float> coloured(const std::vector<float>& grey) {
  std::vector<float> planes(3 * grey.size());
  for (size_t i = 0; i < grey.size(); ++i) {
    const uint32_t colour = magma(std::lround(255 * grey[i]));
    for (size_t plane = 0; plane < 3; ++plane) {
      const uint32_t byte = colour >> (16 - 8 * plane) & 255;
      planes[plane * grey.size() + i] = static_cast<float>(byte) / 255;
    }
  }
  return planes;
}

// Each plane of its own.
std::vector<float> resized(const std::vector<float>& planes, std::array<int64_t, 2> from,
                           std::array<int64_t, 2> to) {
  const size_t size = from[0] * from[1];
  std::vector<float> result;
  for (size_t first = 0; first < planes.size(); first += size) {
    const std::vector<float> plane =
        resize_bilinear(std::span(planes).subspan(first, size), from, to);
    result.insert(result.end(), plane.begin(), plane.end());
  }
  return result;
}

}  // namespace

int64_t image_planes(const config::SpectrogramConfig& config) {
  return config.colour == config::SpectrogramConfig::Colour::kGrey ? 1 : 3;
}

double frequency_at(const config::SpectrogramConfig& config, double share) {
  return media::band_frequency(log_mel_params(config), share);
}

std::vector<float> audio_around(std::span<const float> audio, int64_t rate, double centre,
                                double seconds) {
  const auto count = std::max<int64_t>(1, std::llround(seconds * static_cast<double>(rate)));
  const auto first = std::llround(centre * static_cast<double>(rate)) - count / 2;
  const auto size = static_cast<int64_t>(audio.size());
  std::vector<float> result(count);
  for (int64_t i = std::max<int64_t>(0, -first); i < std::min<int64_t>(count, size - first); ++i) {
    result[i] = audio[first + i];
  }
  return result;
}

AudioImage::AudioImage(const config::SpectrogramConfig& config)
    : config_(config), kind_(make_kind(config)) {}

std::vector<float> AudioImage::make(std::span<const float> audio) {
  std::vector<float> image(config_.size[0] * config_.size[1]);
  std::visit([&](auto& kind) { kind.image(audio, image); }, kind_);
  if (config_.flip) flip_rows(image, config_.size[1]);
  if (config_.colour != config::SpectrogramConfig::Colour::kGrey) image = coloured(image);
  if (config_.size == config_.resize) return image;
  return resized(image, config_.size, config_.resize);
}

}  // namespace avbench::data
