// AVCL's options: the paper's weights, and the ways to read what the paper leaves open. Equation
// numbers are the paper's.
#pragma once

#include <string>
#include <vector>

#include "avbench/params.h"

namespace avbench::avcl {

inline constexpr ParamSpec kParams[] = {
    number("temperature", 0.5, 1e-3, 100, "tau of SelfCL, Eq. 8"),
    number("lambda", 0.005, 0, 1e6, "weight of the off-diagonal correlations in CGRA, Eq. 5"),
    number("lambda_cor", 0.9, 0, 1e6, "weight of CGRA, Eq. 11"),
    number("lambda_self", 0.1, 0, 1e6, "weight of SelfCL, Eq. 11"),
    choice("alignment", "fused", "fused|towers",
           "what the losses see: f_v and f_a after AMFM as printed, or the towers' outputs"),
    choice("selfcl_on", "alignment", "alignment|fused|towers",
           "what SelfCL sees: the same as CGRA as printed, or a choice of its own"),
    choice("correlation", "standardised", "standardised|centred|raw",
           "columns of Eq. 6 over the batch: of mean 0 and deviation 1, of mean 0 and norm 1, or "
           "of norm 1 as printed"),
    list("cgra_layers", "pool", "conv3|conv4|conv5|pool",
         "where CGRA applies, its terms added: stages of the towers, averaged over time, height "
         "and width, and pool, the features that `alignment` chooses; empty: nowhere"),
    choice("cgra_scale", "none", "none|channels",
           "Eq. 5 as a sum as printed, or divided by the number of channels"),
    choice("reduction", "sum", "sum|mean",
           "SelfCL over the samples: their sum as printed in Eq. 7 and 9, or their mean"),
    integer("projector_dim", 0, 0, 65536,
            "output of each modality's two-layer head before SelfCL; 0: no head, as printed"),
    choice("gate", "shared", "shared|per_modality",
           "one E for both modalities as printed, or one each, both from Z"),
    choice("gate_hidden", "linear", "linear|relu", "Z as printed, or ReLU(Z)"),
    choice("gate_activation", "relu", "relu|sigmoid", "nonlinearity of E in Eq. 3 and 4"),
    choice("gate_gradient", "full", "full|stopped|frozen",
           "where the losses lead through E: to AMFM and on to the towers, to AMFM only, nowhere"),
};

// What follows from the options that say where the losses apply.
struct Readings {
  // Throws UserError if an option would be without effect.
  explicit Readings(const Params& params);

  std::vector<std::string> cgra_layers;
  bool cor_fused;    // CGRA at "pool" sees f_v and f_a; otherwise ~v and ~a
  bool self_fused;   // SelfCL sees f_v and f_a; otherwise ~v and ~a
  bool gated;        // a loss sees the gate
  bool gate_learns;  // and trains it
  bool one_pair;     // both losses see the same pair of tensors, as in the pure loss
};

}  // namespace avbench::avcl
