#include "data/sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "runtime/philox_stream.h"

namespace avbench::data {
namespace {

// Position k of linspace(0, last, count), rounded half up; the middle if count is 1.
int64_t spaced(int64_t k, int64_t count, int64_t last) {
  if (count == 1) return last / 2;
  return (2 * k * last + count - 1) / (2 * (count - 1));
}

int64_t draw(const SampleRequest& request, const std::string& purpose, int64_t n) {
  return runtime::PhiloxStream(request.seed, request.epoch, request.index, purpose).uniform_int(n);
}

double draw_unit(const SampleRequest& request, const std::string& purpose) {
  return runtime::PhiloxStream(request.seed, request.epoch, request.index, purpose).uniform();
}

Crop draw_crop(const SampleRequest& request, const std::string& purpose, int64_t rows,
               int64_t columns) {
  runtime::PhiloxStream stream(request.seed, request.epoch, request.index, purpose);
  const int64_t y = stream.uniform_int(rows + 1);
  return {y, stream.uniform_int(columns + 1)};
}

Crop evaluation_crop(const SampleRequest& request, const config::ClipConfig& config) {
  const int64_t rows = config.resize[0] - config.crop, columns = config.resize[1] - config.crop;
  if (columns >= rows) return {rows / 2, spaced(request.crop, request.crops, columns)};
  return {spaced(request.crop, request.crops, rows), columns / 2};
}

}  // namespace

ClipPlace place_clip(const SampleRequest& request, const ViewSpec& view, int64_t frames,
                     const config::ClipConfig& config, std::span<const int64_t> starts) {
  const int64_t last = frames - clip_span(config);
  if (last < 0) {
    throw std::invalid_argument(
        fmt::format("a clip needs {} frames, got {}", clip_span(config), frames));
  }
  const auto choices = starts.empty() ? last + 1 : static_cast<int64_t>(starts.size());
  const auto start_at = [&](int64_t n) { return starts.empty() ? n : starts[n]; };
  if (request.clips > 0) {
    return {start_at(spaced(request.clip, request.clips, choices - 1)),
            evaluation_crop(request, config)};
  }
  const std::string& clock = view.time == ViewTime::kIndependent ? view.name : kBaseView;
  return {start_at(draw(request, "time/" + clock, choices)),
          draw_crop(request, "crop/" + view.name, config.resize[0] - config.crop,
                    config.resize[1] - config.crop),
          config.flip > 0 && draw_unit(request, "flip/" + view.name) < config.flip};
}

std::optional<ColourJitter> draw_jitter(const SampleRequest& request, const ViewSpec& view,
                                        const config::JitterConfig& config) {
  if (request.clips > 0 || (config.brightness == 0 && config.contrast == 0 &&
                            config.saturation == 0 && config.hue == 0)) {
    return std::nullopt;
  }
  runtime::PhiloxStream stream(request.seed, request.epoch, request.index, "jitter/" + view.name);
  const auto factor = [&](double most) {
    const double least = std::max(0.0, 1 - most);
    return static_cast<float>(least + (1 + most - least) * stream.uniform());
  };
  ColourJitter jitter;
  jitter.brightness = factor(config.brightness);
  jitter.contrast = factor(config.contrast);
  jitter.saturation = factor(config.saturation);
  jitter.hue = static_cast<float>((2 * stream.uniform() - 1) * config.hue);
  for (size_t i = jitter.order.size(); i > 1; --i) {
    std::swap(jitter.order[i - 1], jitter.order[stream.uniform_int(static_cast<int64_t>(i))]);
  }
  return jitter;
}

Crop place_spectrogram(const SampleRequest& request, const ViewSpec& view,
                       const config::SpectrogramConfig& config) {
  const int64_t rows = config.resize[0] - config.crop, columns = config.resize[1] - config.crop;
  if (request.clips == 0) return draw_crop(request, "audio/" + view.name, rows, columns);
  if (!request.spread) return {rows / 2, columns / 2};
  return {rows / 2, spaced(request.clip, request.clips, columns)};
}

}  // namespace avbench::data
