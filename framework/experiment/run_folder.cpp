#include "experiment/run_folder.h"

#include <fmt/format.h>

#include "experiment/environment.h"
#include "io/atomic_file.h"
#include "io/csv.h"
#include "io/error.h"
#include "train/run_layout.h"
#include "train/stored_result.h"

namespace avbench::experiment {
namespace fs = std::filesystem;
namespace {

std::string list_csv(const std::vector<data::BadFile>& files) {
  std::string text = "id,path,split,status,message\n";
  for (const data::BadFile& file : files) {
    text += io::csv_line({file.id, file.path.string(), std::string(to_string(file.split)),
                          std::string(to_string(file.status)), file.message});
  }
  return text;
}

}  // namespace

fs::path pretrain_folder(const fs::path& results, const std::string& hash) {
  return results / "pretrain" / hash.substr(0, kHashInPath);
}

std::optional<std::string> newest_other_build(const fs::path& results,
                                              const Fingerprint& pretrain) {
  std::optional<std::string> newest;
  fs::file_time_type newest_time;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(results / "pretrain", missing)) {
    const fs::path done = entry.path() / train::run_layout::kSummary;
    if (!fs::exists(done)) continue;
    const auto content = train::read_result(entry.path() / train::run_layout::kFingerprint);
    const auto build = content ? other_build(*content, pretrain.content) : std::nullopt;
    if (!build || (newest && fs::last_write_time(done) <= newest_time)) continue;
    newest = build;
    newest_time = fs::last_write_time(done);
  }
  return newest;
}

void open_pretraining(const fs::path& folder, const Fingerprint& pretrain,
                      const data::Dataset& dataset, c10::Device device) {
  io::write_file_atomically(folder / train::run_layout::kFingerprint,
                            pretrain.content.dump(1) + "\n");
  io::write_file_atomically(folder / train::run_layout::kEnvironment,
                            environment(device).dump(1) + "\n");
  write_file_lists(dataset, folder);
}

void write_file_lists(const data::Dataset& dataset, const fs::path& folder) {
  io::write_file_atomically(folder / train::run_layout::kExcludedFiles,
                            list_csv(dataset.excluded()));
  io::write_file_atomically(folder / train::run_layout::kDamagedFiles, list_csv(dataset.damaged()));
}

fs::path RunFolder::config() const { return path_ / train::run_layout::kConfig; }

RunRecord RunFolder::record() const {
  const fs::path file = path_ / train::run_layout::kRecord;
  if (!fs::exists(file)) {
    throw io::UserError(
        fmt::format("{}: there is no {}; expected a run's folder, "
                    "<results>/<experiment>/<row>-s<seed>",
                    path_.string(), train::run_layout::kRecord));
  }
  return io::read_fields<RunRecord>(io::read_json(file), file.string());
}

std::optional<RunRecord> RunFolder::record_if_begun() const {
  const fs::path file = path_ / train::run_layout::kRecord;
  if (!fs::exists(file)) return std::nullopt;
  const io::Json json = io::read_json(file);
  try {
    return io::read_fields<RunRecord>(json, file.string());
  } catch (const io::UserError&) {
    return std::nullopt;  // of another version: require_same() says in what it differs
  }
}

void RunFolder::require_same(const RunRecord& record) const {
  const auto differing =
      differing_keys(io::read_json(path_ / train::run_layout::kRecord), io::write_fields(record));
  if (differing.empty()) return;
  std::string message = fmt::format(
      "{} holds a run of another configuration; it is not overwritten.", path_.string());
  constexpr size_t kShown = 10;
  for (size_t i = 0; i < std::min(differing.size(), kShown); ++i) message += "\n  " + differing[i];
  if (differing.size() > kShown)
    message += fmt::format("\n  and {} more", differing.size() - kShown);
  throw io::UserError(message + fmt::format("\nGive the experiment another name, such as --set "
                                            "name={}-2, or remove that folder.",
                                            path_.parent_path().filename().string()));
}

bool RunFolder::finished(const RunRecord& record) const {
  if (!fs::exists(path_ / train::run_layout::kRecord)) return false;
  require_same(record);
  return train::read_result<report::RunSummary>(path_ / train::run_layout::kSummary).has_value();
}

std::optional<std::string> RunFolder::build_of(const RunRecord& record) const {
  auto before = record_if_begun();
  if (!before) return std::nullopt;
  const auto build = other_build(before->pretrain, record.pretrain);
  before->pretrain = record.pretrain;
  return io::write_fields(*before) == io::write_fields(record) ? build : std::nullopt;
}

fs::path RunFolder::move_aside(const std::string& build) const {
  constexpr size_t kDigits = 8;
  const std::string name = path_.filename().string() + ".build-" + build.substr(0, kDigits);
  fs::path aside = path_.parent_path() / name;
  for (int i = 2; fs::exists(aside); ++i) {
    aside = path_.parent_path() / fmt::format("{}-{}", name, i);
  }
  fs::rename(path_, aside);
  return aside;
}

void RunFolder::open(const RunRecord& record, const std::string& config_yaml,
                     const Fingerprint& protocol, const data::Dataset& dataset,
                     c10::Device device) {
  fs::create_directories(path_);
  io::write_file_atomically(path_ / train::run_layout::kConfig, config_yaml);
  io::Json with_hash = {{"hash", protocol.hash}, {"protocol", protocol.content}};
  if (!record.varied.empty()) with_hash["varied"] = record.varied;
  io::write_file_atomically(path_ / train::run_layout::kProtocol, with_hash.dump(1) + "\n");
  write_file_lists(dataset, path_);
  io::write_json(path_ / train::run_layout::kEnvironment, environment(device));
  // Last: a folder with a record has the others.
  io::write_json(path_ / train::run_layout::kRecord, io::write_fields(record));
}

void RunFolder::finish(const report::RunSummary& summary) {
  io::write_json(path_ / train::run_layout::kSummary, io::write_fields(summary));
}

}  // namespace avbench::experiment
