// The two towers.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "config/modalities.h"
#include "config/section.h"

namespace avbench::config {

enum class Backbone { kR3d, kR2plus1d, kC3d };
constexpr auto words(Backbone) {
  using enum Backbone;
  return std::array{Word{kR3d, "r3d"}, Word{kR2plus1d, "r2plus1d"}, Word{kC3d, "c3d"}};
}

struct EncoderConfig {
  Backbone name = Backbone::kR3d;
  int64_t width = 64;
  bool shared = false;
  std::string init;
  Modalities init_towers = Modalities::kBoth;
};
template <class V>
void fields(V& v, io::MaybeConst<EncoderConfig> auto& c) {
  v("name", c.name, "backbone of both towers");
  v("width", c.width, Range{1, 1024}, "channels of the first stage; 64 is the published network");
  v("shared", c.shared,
    "one tower for both modalities, with batch-norm statistics of each its own");
  v.path("init", c.init, "safetensors file of weights the towers start from; empty: random");
  v("init_towers", c.init_towers, "the towers that init is for");
}

}  // namespace avbench::config
