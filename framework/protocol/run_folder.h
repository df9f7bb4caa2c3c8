// results/<experiment>/<row>-s<seed>/: what one run was made with, and its end.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "io/error.h"
#include "io/json_fields.h"
#include "protocol/identity.h"
#include "report/run_summary.h"

namespace avbench {

// results/pretrain/<hash>, for the hash of what a pretraining depends on.
std::filesystem::path pretrain_folder(const std::filesystem::path& results,
                                      const std::string& hash);

// The plugin's hash of the newest finished pretraining that another build of the plugin made and
// that differs in nothing else.
std::optional<std::string> newest_other_build(const std::filesystem::path& results,
                                              const Identity& pretrain);

// excluded.csv and damaged.csv in `folder`: id,path,split,status,message of every file that could
// not be used, and of every one that was used although it is damaged.
void write_file_lists(const Dataset& dataset, const std::filesystem::path& folder);

// The JSON of a finished part; nothing if it is missing, or damaged: that is said, and the part is
// to be done again.
std::optional<Json> read_result(const std::filesystem::path& file);
void say_done_again(const UserError& damage);

// The same as a record; damaged is also one that lacks a key.
template <class Record>
std::optional<Record> read_result(const std::filesystem::path& file) {
  const auto json = read_result(file);
  if (!json) return std::nullopt;
  try {
    return read_fields<Record>(*json, file.string());
  } catch (const UserError& error) {
    say_done_again(error);
    return std::nullopt;
  }
}

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  // Whether an intact summary.json is there, of a run with this record. Throws UserError naming the
  // keys that differ if the folder belongs to another run.
  bool finished(const Json& record) const;

  // The plugin's hash of the folder's run, if it differs from the record in nothing else.
  std::optional<std::string> build_of(const Json& record) const;

  // Renames the folder, so that another build's results stay beside the new ones; returns where.
  std::filesystem::path move_aside(const std::string& build) const;

  // Creates the folder with run.json, config.yaml, protocol.json and the lists of files. `varied`:
  // the row's own values of what the protocol's hash leaves out, by key.
  void open(const Json& record, const std::string& config_yaml, const Identity& protocol,
            const Json& varied, const Dataset& dataset);

  void finish(const RunSummary& summary);

 private:
  std::filesystem::path path_;
};

}  // namespace avbench
