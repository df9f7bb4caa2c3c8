#include "protocol/run_folder.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "io/atomic_file.h"
#include "io/csv.h"
#include "io/error.h"
#include "protocol/environment.h"

namespace avbench {
namespace fs = std::filesystem;
namespace {

std::string list_csv(const std::vector<BadFile>& files) {
  std::string text = "id,path,split,status,message\n";
  for (const BadFile& file : files) {
    text += csv_line({file.id, file.path.string(), std::string(to_string(file.split)),
                      std::string(to_string(file.status)), file.message});
  }
  return text;
}

// "plugin" of `before`, if it is the only key in which the two differ.
std::optional<std::string> other_build(Json before, const Json& after) {
  if (!before.is_object() || !after.is_object() || !after.contains("plugin")) return std::nullopt;
  const Json build = before.value("plugin", Json(""));
  before["plugin"] = after["plugin"];
  if (before != after || build == after["plugin"] || !build.is_string()) return std::nullopt;
  return build.get<std::string>();
}

}  // namespace

fs::path pretrain_folder(const fs::path& results, const std::string& hash) {
  return results / "pretrain" / hash.substr(0, kHashInPath);
}

std::optional<std::string> newest_other_build(const fs::path& results, const Identity& pretrain) {
  std::optional<std::string> newest;
  fs::file_time_type newest_time;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(results / "pretrain", missing)) {
    const fs::path done = entry.path() / "summary.json";
    if (!fs::exists(done)) continue;
    const auto content = read_result(entry.path() / "identity.json");
    const auto build = content ? other_build(*content, pretrain.content) : std::nullopt;
    if (!build || (newest && fs::last_write_time(done) <= newest_time)) continue;
    newest = build;
    newest_time = fs::last_write_time(done);
  }
  return newest;
}

void write_file_lists(const Dataset& dataset, const fs::path& folder) {
  write_file_atomically(folder / "excluded.csv", list_csv(dataset.excluded()));
  write_file_atomically(folder / "damaged.csv", list_csv(dataset.damaged()));
}

std::optional<Json> read_result(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    return read_json(file);
  } catch (const UserError& error) {
    say_done_again(error);
    return std::nullopt;
  }
}

void say_done_again(const UserError& damage) {
  spdlog::warn("{}; doing that part again", damage.what());
}

bool RunFolder::finished(const Json& record) const {
  if (!fs::exists(path_ / "run.json")) return false;
  const auto differing = differing_keys(read_json(path_ / "run.json"), record);
  if (!differing.empty()) {
    std::string message = fmt::format(
        "{} holds a run of another configuration; it is not overwritten.", path_.string());
    constexpr size_t kShown = 10;
    for (size_t i = 0; i < std::min(differing.size(), kShown); ++i) {
      message += "\n  " + differing[i];
    }
    if (differing.size() > kShown) {
      message += fmt::format("\n  and {} more", differing.size() - kShown);
    }
    throw UserError(message + fmt::format("\nGive the experiment another name, such as --set "
                                          "name={}-2, or remove that folder.",
                                          path_.parent_path().filename().string()));
  }
  return read_result<RunSummary>(path_ / "summary.json").has_value();
}

std::optional<std::string> RunFolder::build_of(const Json& record) const {
  if (!fs::exists(path_ / "run.json")) return std::nullopt;
  Json before = read_json(path_ / "run.json");
  if (!before.is_object() || !before.contains("pretrain")) return std::nullopt;
  const auto build = other_build(before["pretrain"], record.at("pretrain"));
  before["pretrain"] = record.at("pretrain");
  return before == record ? build : std::nullopt;
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

void RunFolder::open(const Json& record, const std::string& config_yaml, const Identity& protocol,
                     const Json& varied, const Dataset& dataset) {
  fs::create_directories(path_);
  write_file_atomically(path_ / "config.yaml", config_yaml);
  Json with_hash = {{"hash", protocol.hash}, {"protocol", protocol.content}};
  if (!varied.empty()) with_hash["varied"] = varied;
  write_file_atomically(path_ / "protocol.json", with_hash.dump(1) + "\n");
  write_file_lists(dataset, path_);
  write_json(path_ / "environment.json", environment());
  // Last: a folder with run.json has the others.
  write_json(path_ / "run.json", record);
}

void RunFolder::finish(const RunSummary& summary) {
  write_json(path_ / "summary.json", write_fields(summary));
}

}  // namespace avbench
