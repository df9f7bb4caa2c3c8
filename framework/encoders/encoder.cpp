#include "encoders/encoder.h"

#include <c10/util/StringUtil.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "encoders/architectures.h"
#include "io/error.h"
#include "io/strings.h"
#include "io/suggest.h"

namespace avbench::encoders {

Encoder::Encoder(Traits traits) : traits_(std::move(traits)) {}

TowerOutput Encoder::forward(const Tensor& clip) {
  TORCH_CHECK(clip.dim() == 5 && clip.size(1) == traits_.channels && clip.numel() > 0,
              config::to_word(traits_.backbone), ": expected a clip [B, ", traits_.channels,
              ", T, H, W], got ", clip.sizes());
  const int64_t height = clip.size(3), width = clip.size(4);
  if (height < traits_.min_size || width < traits_.min_size) {
    throw io::UserError(c10::str("encoder '", config::to_word(traits_.backbone),
                                 "': got frames of ", height, "x", width,
                                 " (height x width), expected at least ", traits_.min_size, "x",
                                 traits_.min_size, "; raise the crop or choose another encoder"));
  }
  TowerOutput output;
  output.taps = feature_maps(clip.contiguous(at::MemoryFormat::ChannelsLast3d));
  output.pooled = output.taps.at("conv5").mean({2, 3, 4});
  return output;
}

int64_t Encoder::tap_channels(const std::string& tap) const {
  const std::map<std::string, int64_t> channels{{"conv3", traits_.conv3},
                                                {"conv4", traits_.conv4},
                                                {"conv5", traits_.conv5},
                                                {"pooled", traits_.conv5}};
  if (const auto found = channels.find(tap); found != channels.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, count] : channels) known.push_back(name);
  throw io::UserError(c10::str("unknown tap of encoder '", config::to_word(traits_.backbone),
                               "': got '", tap, "'", io::did_you_mean(tap, known),
                               "; known: ", io::join(known)));
}

std::shared_ptr<Encoder> make_encoder(config::Backbone backbone, int64_t width, int64_t channels) {
  TORCH_CHECK(width >= 1, "encoder '", config::to_word(backbone),
              "': expected a width of at least 1, got ", width);
  switch (backbone) {
    case config::Backbone::kR3d:
      return make_r3d(width, channels);
    case config::Backbone::kR2plus1d:
      return make_r2plus1d(width, channels);
    case config::Backbone::kC3d:
      return make_c3d(width, channels);
  }
  throw std::invalid_argument("make_encoder");
}

}  // namespace avbench::encoders
