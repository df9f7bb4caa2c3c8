// avbench embed RUN --out FILE: features, labels and sample ids of a split, for use elsewhere.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/experiment_options.h"
#include "io/error.h"
#include "io/json.h"
#include "tensors/tensor_file.h"

namespace avbench::app {
namespace {

struct EmbedArguments {
  std::string split = "test", stage = "finetuned", out;
};

data::Split split_of(const std::string& name) {
  for (const data::Split split : {data::Split::kTrain, data::Split::kVal}) {
    if (to_string(split) == name) return split;
  }
  return data::Split::kTest;
}

void run(ExperimentOptions& options, const EmbedArguments& arguments) {
  const experiment::ExperimentRun experiment = experiment::open_experiment(options, false);
  const auto runs = experiment.plan(options.run);
  if (runs.size() != 1) {
    throw io::UserError(
        fmt::format("{} names {} runs, expected one: give a run's folder, or --row and "
                    "--seed",
                    options.target, runs.size()));
  }
  const experiment::SplitFeatures features =
      experiment.features(runs.front(), split_of(arguments.split), arguments.stage == "finetuned");
  tensors::save_tensors(arguments.out, features.tensors,
                        {{"row", runs.front().row->name},
                         {"seed", std::to_string(runs.front().seed)},
                         {"split", arguments.split},
                         {"stage", arguments.stage},
                         {"ids", io::Json(features.ids).dump()},
                         {"classes", io::Json(features.classes).dump()}});
  fmt::print("{}\n", arguments.out);
}

}  // namespace

void add_embed_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "embed", "Write a run's features of a split, with labels and sample ids, for use elsewhere");
  const auto options = add_experiment_options(*command);
  const auto arguments = std::make_shared<EmbedArguments>();
  command->add_option("--out", arguments->out, "safetensors file")->required();
  command->add_option("--split", arguments->split, "train, val or test")
      ->check(CLI::IsMember({"train", "val", "test"}))
      ->capture_default_str();
  command
      ->add_option("--stage", arguments->stage,
                   "finetuned: the checkpoint that is tested; start: what finetuning starts from")
      ->check(CLI::IsMember({"finetuned", "start"}))
      ->capture_default_str();
  on_run(*command, options, [options, arguments] { run(*options, *arguments); });
}

}  // namespace avbench::app
