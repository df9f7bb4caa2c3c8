#include "experiment/dry_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

#include "config/writer.h"
#include "experiment/cost_estimate.h"
#include "stages/evaluation.h"

namespace avbench::experiment {
namespace {

std::string describe_data(const ResolvedRows& rows, const RunSpec& run) {
  const ResolvedRows::Row& state = rows.of(*run.row);
  const data::Dataset& data = *state.data.labelled;
  return fmt::format(
      "protocol {}\nfiles: pretraining {}, training {} ({} labelled), validation {}, test {}; "
      "excluded {}\n",
      state.protocol.hash, state.data.pretraining->size(data::Split::kTrain),
      data.size(data::Split::kTrain), workload(*run.row, state.data, run.seed).labels,
      data.size(data::Split::kVal), data.size(data::Split::kTest), data.excluded().size());
}

// Measured unless `known` has it of a row that does the same.
const RunCost& cost_of(const ResolvedRows& rows, const RunSpec& run,
                       std::map<std::string, RunCost>& known) {
  const config::RowConfig& row = *run.row;
  io::Json start = run.pretrain.content;
  if (start.is_object()) start.erase("seed");
  const std::string key =
      io::canonical_json({to_json(row.protocol), ResolvedRows::modality(row), start});
  if (const auto found = known.find(key); found != known.end()) return found->second;
  spdlog::info("measuring a few steps of {}", row.name);
  RunCost cost;
  if (row.pretrained && !row.method.empty() && row.protocol.pretrain.epochs > 0) {
    cost.pretrain =
        stages::probe_pretraining(rows.pretrain_job(row, run.seed, row.name + " probe", {}));
  }
  stages::Classifier classifier = rows.classifier(run, rows.fresh_method(row, run.seed), row.name);
  const stages::FinetuneJob job = rows.finetune_job(run, row.name + " probe");
  cost.finetune = stages::probe_finetuning(job, classifier);
  cost.clip_seconds = stages::probe_evaluation(classifier, job.data);
  return known.emplace(key, cost).first->second;
}

}  // namespace

std::string describe_plan(const ResolvedRows& rows, const ResultCache& result_cache,
                          const RunOptions& options, bool probe) {
  const auto runs = rows.plan(options);
  std::string text = describe_data(rows, runs.front());
  std::map<std::string, RunCost> costs;  // measured once a distinct row
  std::vector<std::string> counted;
  Estimate total;
  for (const RunSpec& run : runs) {
    text += fmt::format("{} s{}: ", run.row->name, run.seed);
    if (run.finished || (run.finetuned && !options.test)) {
      text += run.finished ? "finished" : "finetuned";
      text += run.stale ? ", by another build of the plugin\n" : "\n";
      continue;
    }
    if (run.rebuilt) text += "finished by another build of the plugin, run again; ";
    if (const auto other = result_cache.find(run.fingerprint, run.folder)) {
      text += fmt::format("the same as {}, copied\n", other->string());
      continue;
    }
    Workload work = workload(*run.row, rows.of(*run.row).data, run.seed);
    if (!options.test) work.test_clips = 0;
    const bool shared =
        run.pretrained || std::count(counted.begin(), counted.end(), run.pretrain.hash) > 0;
    if (work.pretrain_steps > 0) {
      text += run.pretrained ? "pretrained; "
              : shared       ? "shares a pretraining above; "
                             : fmt::format("pretrain {} steps; ", work.pretrain_steps);
      counted.push_back(run.pretrain.hash);
    }
    text += fmt::format("finetune {} steps", work.finetune_steps);
    if (options.test) text += fmt::format("; test {} clips", work.test_clips);
    if (probe) {
      const RunCost& cost = cost_of(rows, run, costs);
      Estimate estimate = finetune_estimate(work, cost, rows.experiment().run);
      if (!shared) estimate += pretrain_estimate(work, cost, rows.experiment().run);
      total += estimate;
      text += "; " + to_string(estimate);
    }
    text += "\n";
  }
  if (probe && total.seconds > 0) text += "in all " + to_string(total) + " of checkpoints\n";
  return text;
}

}  // namespace avbench::experiment
