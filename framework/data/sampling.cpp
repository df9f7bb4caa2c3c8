#include "data/sampling.h"

#include <fmt/format.h>

#include <stdexcept>
#include <string>

#include "data/random.h"

namespace avbench {
namespace {

// Position k of linspace(0, last, count), rounded half up; the middle if count is 1.
int64_t spaced(int64_t k, int64_t count, int64_t last) {
  if (count == 1) return last / 2;
  return (2 * k * last + count - 1) / (2 * (count - 1));
}

int64_t draw(const SampleRequest& request, const std::string& purpose, int64_t n) {
  return Stream(request.seed, request.epoch, request.index, purpose).uniform_int(n);
}

Crop draw_crop(const SampleRequest& request, const std::string& purpose, int64_t rows,
               int64_t columns) {
  Stream stream(request.seed, request.epoch, request.index, purpose);
  const int64_t y = stream.uniform_int(rows + 1);
  return {y, stream.uniform_int(columns + 1)};
}

}  // namespace

ClipPlace place_clip(const SampleRequest& request, const ViewSpec& view, int64_t frames,
                     const ClipConfig& config) {
  const int64_t last = frames - clip_span(config);
  if (last < 0) {
    throw std::invalid_argument(
        fmt::format("a clip needs {} frames, got {}", clip_span(config), frames));
  }
  const int64_t rows = config.resize[0] - config.crop, columns = config.resize[1] - config.crop;
  if (request.clips > 0) {
    return {spaced(request.clip, request.clips, last), {rows / 2, columns / 2}};
  }
  const std::string& clock = view.time == ViewTime::kIndependent ? view.name : kBaseView;
  return {draw(request, "time/" + clock, last + 1),
          draw_crop(request, "crop/" + view.name, rows, columns)};
}

Crop place_spectrogram(const SampleRequest& request, const ViewSpec& view,
                       const SpectrogramConfig& config) {
  const int64_t rows = config.resize[0] - config.crop, columns = config.resize[1] - config.crop;
  if (request.clips == 0) return draw_crop(request, "audio/" + view.name, rows, columns);
  if (!request.spread) return {rows / 2, columns / 2};
  return {rows / 2, spaced(request.clip, request.clips, columns)};
}

}  // namespace avbench
