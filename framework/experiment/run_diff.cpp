#include "experiment/run_diff.h"

#include <fmt/format.h>

#include <fstream>

#include "experiment/fingerprint.h"
#include "experiment/run_folder.h"
#include "io/error.h"
#include "io/sha256.h"
#include "train/metrics_log.h"
#include "train/run_layout.h"

namespace avbench::experiment {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

io::Json parsed(const std::string& line, const fs::path& file, size_t number) {
  io::Json value = io::Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (value.is_object()) return value;
  throw io::UserError(fmt::format("{}:{}: got '{}', expected a JSON object", file.string(),
                                  number + 1, line.substr(0, 60)));
}

// Metrics are compared in the order in which they arise in a step.
Divergence difference(const io::Json& a, const io::Json& b) {
  const io::Json all_a = a.flatten(), all_b = b.flatten();
  std::vector<std::string> keys = train::first_metrics();
  for (const io::Json& side : {all_a, all_b}) {
    for (const auto& [key, value] : side.items()) keys.push_back(key);
  }
  for (std::string key : keys) {
    const io::Json left = all_a.value(key, io::Json()), right = all_b.value(key, io::Json());
    if (left == right) continue;
    key.erase(0, 1);
    for (char& c : key) c = c == '/' ? '.' : c;
    return {train::place_of(a), key, left, right};
  }
  return {train::place_of(a), "", a, b};
}

StageDiff diff_stage(const std::string& stage, const fs::path& a, const fs::path& b) {
  const fs::path file_a = a / train::run_layout::kMetrics, file_b = b / train::run_layout::kMetrics;
  const auto left = lines_of(file_a), right = lines_of(file_b);
  StageDiff result{.stage = stage,
                   .lines_a = static_cast<int64_t>(left.size()),
                   .lines_b = static_cast<int64_t>(right.size())};
  for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (left[i] == right[i]) continue;
    result.first = difference(parsed(left[i], file_a, i), parsed(right[i], file_b, i));
    break;
  }
  return result;
}

// Empty for a baseline.
fs::path pretrain_folder_of(const fs::path& run, const RunRecord& record) {
  if (record.pretrain.empty()) return {};
  return pretrain_folder(fs::absolute(run).lexically_normal().parent_path().parent_path(),
                         io::sha256_hex(io::canonical_json(record.pretrain)));
}

// A path that ends in '/' has an empty last part.
fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

io::Json to_json(const StageDiff& stage) {
  io::Json json = {{"stage", stage.stage},
                   {"lines_a", stage.lines_a},
                   {"lines_b", stage.lines_b},
                   {"first_difference", nullptr}};
  if (stage.first) {
    json["first_difference"] = {{"place", stage.first->place},
                                {"metric", stage.first->metric},
                                {"a", stage.first->a},
                                {"b", stage.first->b}};
  }
  return json;
}

std::string stage_text(const StageDiff& stage) {
  if (stage.lines_a == 0 || stage.lines_b == 0) {
    return fmt::format("only in {}", stage.lines_a == 0 ? "B" : "A");
  }
  if (stage.first) {
    return fmt::format("differs from {} on: {} is {} in A, {} in B", stage.first->place,
                       stage.first->metric, stage.first->a.dump(), stage.first->b.dump());
  }
  if (stage.lines_a == stage.lines_b) {
    return fmt::format("the same in all {} lines of metrics.jsonl", stage.lines_a);
  }
  return fmt::format("the same in the {} lines of metrics.jsonl that both have; A has {}, B {}",
                     std::min(stage.lines_a, stage.lines_b), stage.lines_a, stage.lines_b);
}

std::string listed(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "  " + line + "\n";
  return text;
}

}  // namespace

RunDiff diff_runs(const fs::path& run_a, const fs::path& run_b) {
  const fs::path a = without_slash(run_a), b = without_slash(run_b);
  RunRecord record_a = RunFolder(a).record(), record_b = RunFolder(b).record();
  RunDiff diff;
  diff.protocol_a = io::sha256_hex(io::canonical_json(record_a.protocol));
  diff.protocol_b = io::sha256_hex(io::canonical_json(record_b.protocol));
  diff.protocol = differing_keys(record_a.protocol, record_b.protocol);
  const fs::path pretrain_a = pretrain_folder_of(a, record_a),
                 pretrain_b = pretrain_folder_of(b, record_b);
  record_a.protocol = record_b.protocol = nullptr;
  const bool only_a = record_b.pretrain.is_null(), only_b = record_a.pretrain.is_null();
  if (only_a != only_b) record_a.pretrain = record_b.pretrain = nullptr;
  diff.settings = differing_keys(io::write_fields(record_a), io::write_fields(record_b));
  if (only_a != only_b) {
    diff.settings.push_back(only_a ? "pretrain: only in A" : "pretrain: only in B");
  }
  for (const StageDiff& stage :
       {diff_stage("pretrain", pretrain_a, pretrain_b), diff_stage("finetune", a, b)}) {
    if (stage.lines_a + stage.lines_b > 0) diff.stages.push_back(stage);
  }
  return diff;
}

io::Json diff_json(const RunDiff& diff) {
  io::Json json = {{"protocol_a", diff.protocol_a},
                   {"protocol_b", diff.protocol_b},
                   {"protocol", diff.protocol},
                   {"settings", diff.settings},
                   {"stages", io::Json::array()}};
  for (const StageDiff& stage : diff.stages) json["stages"].push_back(to_json(stage));
  return json;
}

std::string diff_text(const RunDiff& diff) {
  std::string text = diff.protocol.empty()
                         ? fmt::format("protocol: the same, {}\n", diff.protocol_a)
                         : "protocol: differs (A -> B)\n" + listed(diff.protocol);
  text += diff.settings.empty() ? "settings of the row: the same\n"
                                : "settings of the row: differ (A -> B)\n" + listed(diff.settings);
  for (const StageDiff& stage : diff.stages) text += stage.stage + ": " + stage_text(stage) + "\n";
  return text;
}

}  // namespace avbench::experiment
