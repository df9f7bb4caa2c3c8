// The pure loss on cases whose outcome is known by hand. The program holds the plugin's own code.
#include <cmath>
#include <cstdio>

#include "avbench/plugin.h"

extern "C" const avbench::MethodPlugin* avbench_method_plugin();

namespace {

using namespace avbench;

// Whether the pure loss, with its default parameters, has that total.
bool gives(double expected, const char* what, const NamedTensors& embeddings) {
  const MethodPlugin& plugin = *avbench_method_plugin();
  const Params defaults = Params::resolve(plugin.name, plugin.params, {});
  const double got = plugin.loss(embeddings, defaults).total.item<double>();
  const bool good = std::abs(got - expected) <= 1e-12;
  if (!good) std::printf("%s: got %.17g, expected %.17g\n", what, got, expected);
  return good;
}

}  // namespace

int main() {
  const Tensor axes = at::eye(2, at::kDouble);
  // Own 1, other 0: the margin of 0.2 is kept.
  const bool kept = gives(0, "orthogonal pairs", {{"video", axes}, {"audio", 3 * axes}});
  // Own 0, other 1: each of two samples misses by 1.2, in each direction.
  const bool missed = gives(2.4, "swapped pairs", {{"video", axes}, {"audio", axes.flip(0)}});
  return kept && missed ? 0 : 1;
}
