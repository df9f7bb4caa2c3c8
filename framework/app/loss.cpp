// avbench loss METHOD FILE: the pure loss on given embeddings, for comparison with other programs.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/commands.h"
#include "app/parameter_options.h"
#include "plugin/embeddings.h"
#include "plugin/failure.h"
#include "plugin/registry.h"
#include "tensors/tensor_file.h"

namespace avbench::app {
namespace {

constexpr double kTolerance = 1e-9;

struct Options {
  std::string method, file, gradients;
  std::vector<std::string> sets;
  std::optional<double> expected;
  bool json =
      true;  // the only form there is; the flag exists as with every command that prints results
};

// 17 significant digits give back every double.
std::string json_number(const std::string& name, const Tensor& value) {
  const double number = value.item<double>();
  if (!std::isfinite(number)) {
    throw std::runtime_error(fmt::format("the loss gave {} = {} for finite inputs", name, number));
  }
  return fmt::format("{:.17g}", number);
}

std::string loss_json(const Loss& loss) {
  std::string parts;
  for (const auto& [name, value] : loss.parts) {
    parts += fmt::format("{}{}: {}", parts.empty() ? "" : ", ", nlohmann::json(name).dump(),
                         json_number(name, value));
  }
  return fmt::format("{{\"total\": {}, \"parts\": {{{}}}}}", json_number("total", loss.total),
                     parts);
}

// d total / d tensor; zeros where the gradient is stopped.
NamedTensors gradients(const Tensor& total, const NamedTensors& tensors) {
  std::vector<Tensor> inputs;
  for (const auto& [name, tensor] : tensors) inputs.push_back(tensor);
  std::vector<Tensor> results(inputs.size());
  if (total.requires_grad()) {
    results = torch::autograd::grad({total}, inputs, {}, /*retain_graph=*/std::nullopt,
                                    /*create_graph=*/false, /*allow_unused=*/true);
  }
  NamedTensors named;
  size_t i = 0;
  for (const auto& [name, tensor] : tensors) {
    named[name] = results[i].defined() ? results[i] : at::zeros_like(tensor);
    ++i;
  }
  return named;
}

// Published values have about ten digits.
void compare(double got, double expected) {
  const double difference = std::abs(got - expected);
  if (difference <= kTolerance * std::max(1.0, std::abs(expected))) return;
  throw std::runtime_error(fmt::format("got total {:.17g}, expected {}: they differ by {:.3g}", got,
                                       expected, difference));
}

void run(const Options& options) {
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  const plugin::LoadedPlugin& loaded = registry.find(options.method);
  const MethodPlugin& plugin = *loaded.record;
  const Params params = Params::resolve(plugin.name, plugin.params, parameter_inputs(options.sets));
  const auto named = tensors::load_tensors(options.file);
  const NamedTensors tensors(named.begin(), named.end());
  plugin::check_embeddings(plugin, tensors, options.file);
  for (const auto& [name, tensor] : tensors) tensor.requires_grad_();
  const Loss loss = plugin::pure_loss(loaded, tensors, params, options.file);
  const std::string result = loss_json(loss);
  if (!options.gradients.empty())
    tensors::save_tensors(options.gradients, gradients(loss.total, tensors));
  fmt::print("{}\n", result);
  if (options.expected) compare(loss.total.item<double>(), *options.expected);
}

}  // namespace

void add_loss_command(CLI::App& app) {
  auto* command = app.add_subcommand("loss", "A method's pure loss on the embeddings in a file");
  const auto options = std::make_shared<Options>();
  command->add_option("METHOD", options->method, "name of a method")->required();
  command->add_option("FILE", options->file, "safetensors with the method's embeddings")
      ->required();
  add_parameter_option(*command, options->sets);
  command->add_option("--grad", options->gradients,
                      "write d total / d input under each input's name (safetensors)");
  command->add_option("--expect", options->expected,
                      "fail if the total differs from this by more than 1e-9 (of it, above 1)");
  command->add_flag("--json", options->json, "the result is JSON with or without it");
  command->callback([options] { run(*options); });
}

}  // namespace avbench::app
