#include "readings.h"

#include <algorithm>

namespace avbench::avcl {
namespace {

void check_combination(const Params& params, bool gated) {
  const bool contrasts = params.number("lambda_self") > 0;
  const bool aligns = params.number("lambda_cor") > 0 && !params.list("cgra_layers").empty();
  if (!contrasts && !aligns) {
    usage_error(
        "avcl: got lambda_self 0 and no CGRA (lambda_cor 0 or cgra_layers empty), "
        "expected at least one of the two losses");
  }
  if (!contrasts && params.integer("projector_dim") > 0) {
    usage_error(
        "avcl: got projector_dim above 0 with lambda_self 0, expected 0: the head stands "
        "before SelfCL, and nothing would train it");
  }
  if (!gated && params.choice("gate_gradient") != "full") {
    usage_error("avcl: got gate_gradient " + params.choice("gate_gradient") +
                " where no loss sees the gate, expected full, or alignment or selfcl_on fused");
  }
}

}  // namespace

Readings::Readings(const Params& params)
    : cgra_layers(params.list("cgra_layers")), cor_fused(params.choice("alignment") == "fused") {
  const std::string& self = params.choice("selfcl_on");
  self_fused = self == "alignment" ? cor_fused : self == "fused";
  const bool at_pool =
      std::find(cgra_layers.begin(), cgra_layers.end(), "pool") != cgra_layers.end();
  gated = self_fused || (cor_fused && at_pool);
  gate_learns = gated && params.choice("gate_gradient") != "frozen";
  one_pair = cgra_layers == std::vector<std::string>{"pool"} && cor_fused == self_fused &&
             params.integer("projector_dim") == 0;
  check_combination(params, gated);
}

}  // namespace avbench::avcl
