#include "train/checkpoint.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <vector>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/sha256.h"
#include "tensors/tensor_file.h"

namespace avbench::train {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStepPrefix = "step-";

// The JSON beside the tensors.
struct Record {
  std::string file;    // its name, for readers
  std::string sha256;  // of the file
  uint64_t bytes = 0;  // of the file
  std::string state_sha256;
  io::Json state;
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<Record> auto& r) {
  v("file", r.file);
  v("sha256", r.sha256);
  v("bytes", r.bytes);
  v("state_sha256", r.state_sha256);
  v("state", r.state);
}

Record read_record(const fs::path& file) {
  const std::string damaged = "damaged checkpoint " + file.string();
  io::Json json;
  try {
    json = io::Json::parse(io::read_file(file));
  } catch (const io::Json::exception& error) {
    throw io::UserError(damaged + ": " + error.what());
  }
  auto record = io::read_fields<Record>(json, damaged);
  if (io::sha256_hex(record.state.dump()) != record.state_sha256) {
    throw io::UserError(damaged + ": its state differs from the checksum beside it");
  }
  return record;
}

}  // namespace

CheckpointFolder::CheckpointFolder(fs::path folder, int64_t keep_steps)
    : folder_(std::move(folder)), keep_steps_(static_cast<size_t>(keep_steps)) {}

void CheckpointFolder::save(const std::string& name, const tensors::StateDict& tensors,
                            const io::Json& state) const {
  fs::create_directories(folder_);
  const fs::path file = folder_ / (name + ".safetensors");
  tensors::save_tensors(file, tensors);
  const Record record{.file = file.filename().string(),
                      .sha256 = io::sha256_file(file),
                      .bytes = fs::file_size(file),
                      .state_sha256 = io::sha256_hex(state.dump()),
                      .state = state};
  io::write_file_atomically(folder_ / (name + ".json"), io::write_fields(record).dump(1) + "\n");
}

void CheckpointFolder::save_step(int64_t step, const tensors::StateDict& tensors,
                                 const io::Json& state) const {
  save(fmt::format("{}{:09}", kStepPrefix, step), tensors, state);
  keep_steps(keep_steps_);
}

std::optional<Checkpoint> CheckpointFolder::latest_step(
    const std::function<bool(const Checkpoint&)>& usable) const {
  const auto names = step_names();
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    auto checkpoint = find(*name);
    if (checkpoint && (!usable || usable(*checkpoint))) return checkpoint;
    spdlog::warn("passing over checkpoint {} in {}; taking the one before it", *name,
                 folder_.string());
  }
  return std::nullopt;
}

std::optional<Checkpoint> CheckpointFolder::find(const std::string& name) const {
  if (!has(name)) return std::nullopt;
  try {
    return load(name);
  } catch (const io::UserError& error) {
    spdlog::warn("{}", error.what());
    return std::nullopt;
  }
}

bool CheckpointFolder::has(const std::string& name) const {
  return fs::exists(folder_ / (name + ".json"));
}

std::optional<Checkpoint> CheckpointFolder::find_best(int64_t epoch) const {
  auto best = find("best");
  if (!best) return best;
  const auto state = best->state_as<BestState>();
  if (state.epoch == epoch) return best;
  spdlog::warn("{} is of epoch {}, but epoch {} was chosen: left by a stage that was killed",
               best->file.string(), state.epoch, epoch);
  return std::nullopt;
}

Checkpoint CheckpointFolder::load(const std::string& name) const {
  Record record = read_record(folder_ / (name + ".json"));
  const fs::path file = folder_ / (name + ".safetensors");
  const auto damaged = [&](const char* what, const auto& got, const auto& expected) {
    return io::UserError(fmt::format("damaged checkpoint {}: {} is {}, expected {}", file.string(),
                                     what, got, expected));
  };
  if (const uint64_t bytes = fs::exists(file) ? fs::file_size(file) : 0; bytes != record.bytes) {
    throw damaged("its size in bytes", bytes, record.bytes);
  }
  const std::string hash = io::sha256_file(file);
  if (hash != record.sha256) throw damaged("SHA-256", hash, record.sha256);
  return {tensors::load_tensors(file), std::move(record.state), file};
}

void CheckpointFolder::keep_steps(size_t count) const {
  const auto names = step_names();
  for (size_t i = 0; i + count < names.size(); ++i) remove(names[i]);
}

void CheckpointFolder::remove_leftovers() const {
  if (!fs::exists(folder_)) return;
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    const fs::path& file = entry.path();
    const bool temporary = file.extension() == ".tmp" && file.filename().string().starts_with('.');
    const bool alone = file.extension() == ".safetensors" && !has(file.stem().string());
    if (temporary || alone) leftovers.push_back(file);
  }
  for (const fs::path& file : leftovers) {
    spdlog::info("removing {}, left by a process that was killed", file.string());
    fs::remove(file);
  }
}

std::vector<std::string> CheckpointFolder::step_names() const {
  std::vector<std::string> names;
  if (!fs::exists(folder_)) return names;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() == ".json" && stem.starts_with(kStepPrefix)) names.push_back(stem);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The JSON goes first: what it vouched for must not disappear before it.
void CheckpointFolder::remove(const std::string& name) const {
  fs::remove(folder_ / (name + ".json"));
  fs::remove(folder_ / (name + ".safetensors"));
}

}  // namespace avbench::train
