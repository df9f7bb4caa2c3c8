// results/<experiment>/<row>-s<seed>/: what one run was made with, and its end.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "experiment/fingerprint.h"
#include "io/error.h"
#include "io/json_fields.h"
#include "report/run_summary.h"

namespace avbench::experiment {

// results/pretrain/<hash>, for the hash of what a pretraining depends on.
std::filesystem::path pretrain_folder(const std::filesystem::path& results,
                                      const std::string& hash);

// The plugin's hash of the newest finished pretraining that another build of the plugin made and
// that differs in nothing else.
std::optional<std::string> newest_other_build(const std::filesystem::path& results,
                                              const Fingerprint& pretrain);

// Begins the folder of a pretraining: its fingerprint, environment and lists of files.
void open_pretraining(const std::filesystem::path& folder, const Fingerprint& pretrain,
                      const data::Dataset& dataset, c10::Device device);

// excluded.csv and damaged.csv in `folder`: id,path,split,status,message of every file that could
// not be used, and of every one that was used although it is damaged.
void write_file_lists(const data::Dataset& dataset, const std::filesystem::path& folder);

// What a run folder must have been made with to be continued.
struct RunRecord {
  std::string row;
  int64_t seed = 0;
  std::string modality;
  std::string method;  // empty: a baseline
  io::Json pretrain;   // content of the pretraining's fingerprint; null for a baseline
  io::Json protocol;   // content of the protocol's fingerprint
  io::Json varied;     // the row's own values of what that leaves out, by key
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<RunRecord> auto& r) {
  v("row", r.row);
  v("seed", r.seed);
  v("modality", r.modality);
  v("method", r.method);
  v("pretrain", r.pretrain);
  v("protocol", r.protocol);
  v("varied", r.varied);
}

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path config() const;  // the run's configuration file

  // Throws UserError if the folder holds no run.
  RunRecord record() const;

  // Nothing if the folder holds no run, or one of another version. Throws UserError if the record
  // is damaged.
  std::optional<RunRecord> record_if_begun() const;

  // Throws UserError naming the keys that differ if the folder's run has another record.
  void require_same(const RunRecord& record) const;

  // Whether the folder holds an intact summary of a run with this record; see require_same().
  bool finished(const RunRecord& record) const;

  // The plugin's hash of the folder's run, if it differs from the record in nothing else.
  std::optional<std::string> build_of(const RunRecord& record) const;

  // Renames the folder, so that another build's results stay beside the new ones; returns where.
  std::filesystem::path move_aside(const std::string& build) const;

  // Creates the folder with record, configuration, protocol and the lists of files.
  void open(const RunRecord& record, const std::string& config_yaml, const Fingerprint& protocol,
            const data::Dataset& dataset, c10::Device device);

  void finish(const report::RunSummary& summary);

 private:
  std::filesystem::path path_;
};

}  // namespace avbench::experiment
