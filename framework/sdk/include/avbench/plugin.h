// The record that a plugin exports. A plugin's last line is AVBENCH_PLUGIN(record).
#pragma once

#include <torch/version.h>

#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "avbench/batch.h"
#include "avbench/context.h"
#include "avbench/method.h"
#include "avbench/params.h"
#include "avbench/views.h"

// Raised when a plugin built against the old headers could misbehave with the new host.
#define AVBENCH_API_VERSION 4

namespace avbench {

// A named tensor of the pure loss.
//
// `shape` is symbolic: sizes separated by commas, each a capital letter, perhaps with "+" and one
// digit: "B,D", "B,K+1,D". A letter means one size, at least 1, across all tensors of the loss; B
// is the batch. "" is a scalar, such as a temperature or the constant of a partition function.
//
// What is declared not differentiable the pure loss detaches itself: `avbench check` asks for its
// gradient. `unit_rows`, `min` and `max` are what Method::loss promises, so that the checks and the
// benchmarks draw such values; `avbench loss` refuses others than from `min` to `max`.
struct EmbeddingSpec {
  const char* name;
  const char* shape;
  bool differentiable = true;
  const char* doc = "";
  bool unit_rows = false;  // the norm over the last dimension is 1
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

using PureLoss = Loss (*)(const NamedTensors& embeddings, const Params& params);

// The pure loss of `embeddings`, which stay with the result so that they can be examined.
inline Loss with_inputs(PureLoss pure_loss, NamedTensors embeddings, const Params& params) {
  Loss loss = pure_loss(embeddings, params);
  loss.inputs = std::move(embeddings);
  return loss;
}

// MethodPlugin::views of a method that needs the base view of both modalities and nothing else.
inline Views base_views(const Params&) { return base_views(); }

// MethodPlugin::create of a method that is made of its context alone: `.create = create<MyMethod>`.
template <class M>
std::shared_ptr<Method> create(const MethodContext& context) {
  return std::make_shared<M>(context);
}

// Plain data: listing and describing a plugin constructs nothing.
struct MethodPlugin {
  const char* name;
  const char* summary;  // one line
  const char* paper;    // authors, title, arXiv number or venue
  std::span<const ParamSpec> params;
  std::span<const EmbeddingSpec> embeddings;
  Views (*views)(const Params& params) = base_views;
  // The pure loss, also used inside Method::loss. Shapes follow `embeddings`.
  PureLoss loss;
  std::shared_ptr<Method> (*create)(const MethodContext& context);
};

}  // namespace avbench

#define AVBENCH_CONCAT_(a, b, c, d, e, f) avbench_abi_##a##_libtorch_##b##_##c##_##d##_##e##f
#define AVBENCH_CONCAT(a, b, c, d, e, f) AVBENCH_CONCAT_(a, b, c, d, e, f)
// e.g. avbench_abi_4_libtorch_2_11_0_cxx11abi1
#define AVBENCH_ABI_TAG                                                         \
  AVBENCH_CONCAT(AVBENCH_API_VERSION, TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR, \
                 TORCH_VERSION_PATCH, cxx11abi, _GLIBCXX_USE_CXX11_ABI)

#define AVBENCH_TEXT_(x) #x
#define AVBENCH_TEXT(x) AVBENCH_TEXT_(x)
#ifdef __clang__
#define AVBENCH_COMPILER __VERSION__
#else
#define AVBENCH_COMPILER "g++ " __VERSION__
#endif

// Exports the ABI tag as a symbol's name (read before anything of the library runs), what it was
// compiled with, and the record.
#define AVBENCH_PLUGIN(record)                                                                \
  extern "C" {                                                                                \
  AVBENCH_EXPORT extern const char AVBENCH_ABI_TAG[];                                         \
  const char AVBENCH_ABI_TAG[] = AVBENCH_COMPILER ", C++ " AVBENCH_TEXT(__cplusplus);         \
  AVBENCH_EXPORT const ::avbench::MethodPlugin* avbench_method_plugin() { return &(record); } \
  }
