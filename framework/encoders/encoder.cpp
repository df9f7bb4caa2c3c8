#include "encoders/encoder.h"

#include <c10/util/StringUtil.h>

#include <utility>
#include <vector>

#include "encoders/architectures.h"
#include "io/error.h"
#include "io/suggest.h"

namespace avbench {
namespace {

template <typename Value>
std::vector<std::string> names(const std::map<std::string, Value>& known) {
  std::vector<std::string> out;
  for (const auto& [name, value] : known) out.push_back(name);
  return out;
}

std::string unknown(const std::string& what, const std::string& got,
                    const std::vector<std::string>& known) {
  return c10::str("unknown ", what, ": got '", got, "'", did_you_mean(got, known),
                  "; known: ", join(known));
}

}  // namespace

Encoder::Encoder(Traits traits) : traits_(std::move(traits)) {}

TowerOutput Encoder::forward(const Tensor& clip) {
  TORCH_CHECK(clip.dim() == 5 && clip.size(1) == traits_.channels && clip.numel() > 0, traits_.name,
              ": expected a clip [B, ", traits_.channels, ", T, H, W], got ", clip.sizes());
  const int64_t height = clip.size(3), width = clip.size(4);
  if (height < traits_.min_size || width < traits_.min_size) {
    throw UserError(c10::str("encoder '", traits_.name, "': got pictures of ", height, "x", width,
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
  throw UserError(unknown(c10::str("tap of encoder '", traits_.name, "'"), tap, names(channels)));
}

std::shared_ptr<Encoder> make_encoder(const std::string& name, int64_t width, int64_t channels) {
  using Make = std::shared_ptr<Encoder> (*)(int64_t, int64_t);
  const std::map<std::string, Make> known{
      {"r3d", make_r3d}, {"r2plus1d", make_r2plus1d}, {"c3d", make_c3d}};
  TORCH_CHECK(width >= 1, "encoder '", name, "': expected a width of at least 1, got ", width);
  if (const auto found = known.find(name); found != known.end())
    return found->second(width, channels);
  throw UserError(unknown("encoder", name, names(known)));
}

}  // namespace avbench
