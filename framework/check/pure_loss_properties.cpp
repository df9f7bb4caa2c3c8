// The pure loss on its own, and against Method::loss.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "check/property.h"
#include "check/samples.h"
#include "plugin/embeddings.h"
#include "tensors/seeds.h"

namespace avbench::check {
namespace {

constexpr const char* kNoInputs = "the loss shows no inputs (see with_inputs in plugin.h)";

// Small tensors of the declared shapes, filled by fill(sizes) and then made as declared.
template <class F>
NamedTensors embeddings_of(const MethodPlugin& record, const F& fill) {
  NamedTensors tensors;
  for (const EmbeddingSpec& spec : record.embeddings) {
    const std::vector<int64_t> sizes = plugin::embedding_sizes(spec, [](char letter) {
      return letter == 'B' ? int64_t{4} : letter == 'D' ? int64_t{5} : int64_t{6};
    });
    tensors[spec.name] = plugin::as_declared(spec, fill(sizes));
  }
  return tensors;
}

NamedTensors random_embeddings(const MethodPlugin& record, uint64_t seed) {
  auto generator = tensors::make_generator(seed);
  return embeddings_of(record, [&](const std::vector<int64_t>& sizes) {
    return at::randn(sizes, generator, at::kDouble);
  });
}

// d total / d tensor by name; undefined where nothing flows.
NamedTensors analytic_gradients(const PluginUnderTest& plugin, const NamedTensors& tensors) {
  NamedTensors leaves;
  std::vector<Tensor> inputs;
  for (const auto& [name, tensor] : tensors) {
    leaves[name] = tensor.detach().clone().requires_grad_();
    inputs.push_back(leaves[name]);
  }
  const Tensor total = plugin.record().loss(leaves, plugin.params).total;
  std::vector<Tensor> gradients(inputs.size());
  if (total.requires_grad()) {
    gradients = torch::autograd::grad({total}, inputs, {}, /*retain_graph=*/std::nullopt,
                                      /*create_graph=*/false, /*allow_unused=*/true);
  }
  NamedTensors named;
  size_t i = 0;
  for (const auto& [name, tensor] : tensors) named[name] = gradients[i++];
  return named;
}

// Central differences in one input.
Tensor numerical_gradient(const PluginUnderTest& plugin, NamedTensors tensors,
                          const std::string& name) {
  constexpr double kStep = 1e-6;
  const at::NoGradGuard no_grad;
  Tensor x = tensors[name] = tensors[name].contiguous().clone();
  Tensor gradient = at::zeros_like(x);
  double* values = x.data_ptr<double>();
  const auto total = [&] {
    return plugin.record().loss(tensors, plugin.params).total.item<double>();
  };
  for (int64_t i = 0; i < x.numel(); ++i) {
    const double kept = values[i];
    values[i] = kept + kStep;
    const double above = total();
    values[i] = kept - kStep;
    gradient.data_ptr<double>()[i] = (above - total()) / (2 * kStep);
    values[i] = kept;
  }
  return gradient;
}

CheckResult gradient_matches_finite_differences(const CheckContext& context) {
  const PluginUnderTest& plugin = context.tested;
  const NamedTensors tensors = random_embeddings(plugin.record(), 3);
  const NamedTensors analytic = analytic_gradients(plugin, tensors);
  double size = 0, error = 0;
  for (const EmbeddingSpec& spec : plugin.record().embeddings) {
    const Tensor& gradient = analytic.at(spec.name);
    if (!spec.differentiable) {
      if (gradient.defined() && (gradient != 0).any().item<bool>()) {
        return failed(
            fmt::format("'{}' is declared not differentiable and gets a gradient", spec.name));
      }
      continue;
    }
    const Tensor numerical = numerical_gradient(plugin, tensors, spec.name);
    const Tensor got = gradient.defined() ? gradient : at::zeros_like(numerical);
    size = larger(size, numerical.abs().max().item<double>());
    error = larger(error, (got - numerical).abs().max().item<double>());
  }
  if (size == 0) return failed("the pure loss does not depend on any differentiable input");
  return within("largest relative error", error / size, 1e-6);
}

// Empty if the pure loss and its gradients are finite.
std::string pure_fault(const PluginUnderTest& plugin, const NamedTensors& tensors) {
  if (!all_finite(plugin.record().loss(tensors, plugin.params).total)) {
    return "the loss is not finite";
  }
  for (const auto& [name, gradient] : analytic_gradients(plugin, tensors)) {
    if (gradient.defined() && !all_finite(gradient)) {
      return fmt::format("the gradient of '{}' is not finite", name);
    }
  }
  return "";
}

using Sizes = std::vector<int64_t>;

Tensor zeros(const Sizes& sizes) { return at::zeros(sizes, at::kDouble); }
Tensor equal_rows(const Sizes& sizes) {
  if (sizes.empty()) return at::ones({}, at::kDouble);
  return at::arange(1, sizes.back() + 1, at::kDouble).expand(sizes).contiguous();
}
Tensor constant(const Sizes& sizes) { return at::full(sizes, 0.5, at::kDouble); }
Tensor one_zero_row(const Sizes& sizes) {
  Tensor rows = at::rand(sizes, tensors::make_generator(4), at::kDouble);
  if (!sizes.empty()) rows.select(0, 0).zero_();
  return rows;
}

CheckResult finite_on_degenerate_embeddings(const CheckContext& context) {
  constexpr std::pair<const char*, Tensor (*)(const Sizes&)> kCases[] = {
      {"all zero", zeros},
      {"equal rows", equal_rows},
      {"one constant", constant},
      {"a zero row", one_zero_row}};
  const PluginUnderTest& plugin = context.tested;
  for (const auto& [words, fill] : kCases) {
    for (const auto type : {at::kFloat, at::kDouble}) {
      NamedTensors tensors = embeddings_of(plugin.record(), fill);
      for (auto& [name, tensor] : tensors) tensor = tensor.to(type);
      const std::string fault = pure_fault(plugin, tensors);
      if (!fault.empty()) return failed(fmt::format("{}, {}: {}", words, type_name(type), fault));
    }
  }
  return passed("zeros, equal rows, constants and a zero row, in float32 and float64");
}

CheckResult inputs_match_declaration(const CheckContext& context) {
  MethodHarness harness = warmed_up(context);
  const Loss loss = harness.loss(harness.next_batch());
  if (loss.inputs.empty()) return skipped(kNoInputs);
  const MethodPlugin& record = context.tested.record();
  plugin::check_embeddings(record, loss.inputs, "Loss::inputs");
  for (const EmbeddingSpec& spec : record.embeddings) {
    if (!std::string(spec.shape).starts_with('B')) continue;
    const int64_t rows = loss.inputs.at(spec.name).size(0);
    if (rows != kBatchSize) {
      return failed(
          fmt::format("'{}' has {} rows, expected the batch's {}", spec.name, rows, kBatchSize));
    }
  }
  return passed(fmt::format("{} tensors", loss.inputs.size()));
}

CheckResult unit_rows_are_unit(const CheckContext& context) {
  MethodHarness harness = warmed_up(context);
  const Loss loss = harness.loss(harness.next_batch());
  double worst = 0;
  int64_t count = 0;
  for (const EmbeddingSpec& spec : context.tested.record().embeddings) {
    if (!spec.unit_rows) continue;
    if (loss.inputs.empty()) return skipped(kNoInputs);
    const Tensor norms = loss.inputs.at(spec.name).detach().norm(2, {-1});
    const double error = (norms - 1).abs().max().item<double>();
    if (!(error <= 1e-5)) {
      return within(fmt::format("'{}': largest |norm - 1|", spec.name), error, 1e-5);
    }
    worst = larger(worst, error);
    ++count;
  }
  if (count == 0) return passed("no embedding is declared to have unit rows");
  return within(fmt::format("{} tensors, largest |norm - 1|", count), worst, 1e-5);
}

CheckResult loss_equals_pure_loss(const CheckContext& context) {
  const PluginUnderTest& plugin = context.tested;
  MethodHarness harness = warmed_up(context, {.type = context.exact_type});
  const Loss loss = harness.loss(harness.next_batch());
  if (loss.inputs.empty()) return skipped(kNoInputs);
  const Loss pure = plugin.record().loss(loss.inputs, plugin.params);
  return within("relative difference", relative_difference(loss.total, pure.total),
                context.limit(1e-12, 1e-5));
}

}  // namespace

std::vector<Property> pure_loss_properties() {
  return {
      {"gradient_matches_finite_differences",
       "the pure loss's gradient in float64, where declared differentiable and nowhere else",
       gradient_matches_finite_differences},
      {"finite_on_degenerate_embeddings", "zero and constant embeddings give finite gradients",
       finite_on_degenerate_embeddings},
      {"inputs_match_declaration", "Loss::inputs has the declared names, shapes and rows",
       inputs_match_declaration},
      {"unit_rows_are_unit", "what is declared unit_rows has rows of norm 1", unit_rows_are_unit},
      {"loss_equals_pure_loss", "the method's loss is the pure loss of its inputs",
       loss_equals_pure_loss},
  };
}

}  // namespace avbench::check
