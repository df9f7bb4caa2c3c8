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

// Of results/pretrain/, for the hash of what a pretraining depends on.
std::string pretrain_folder_name(const std::string& hash);

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

  // Creates the folder with run.json, config.yaml, protocol.json and the lists of files. `varied`:
  // the row's own values of what the protocol's hash leaves out, by key.
  void open(const Json& record, const std::string& config_yaml, const Identity& protocol,
            const Json& varied, const Dataset& dataset);

  void finish(const RunSummary& summary);

 private:
  std::filesystem::path path_;
};

}  // namespace avbench
