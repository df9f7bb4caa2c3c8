// What makes two runs comparable, and what a pretraining depends on, as hashes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/row_config.h"
#include "data/dataset.h"
#include "io/json.h"

namespace avbench::experiment {

inline constexpr size_t kHashInPath = 16;  // hexadecimal digits of a hash that names a folder

struct Fingerprint {
  io::Json content;
  std::string hash;  // SHA-256 of the canonical JSON
};

// Data by sample ids, sampling, transforms, encoders, budget and evaluation: equal for all rows of
// a table, whose `varies` are left out. Paths, threads and seeds are not part of it.
// `init_hash`: of the file protocol.encoder.init, empty if there is none.
Fingerprint protocol_fingerprint(const config::ProtocolConfig& protocol,
                                 const std::vector<std::string>& varies,
                                 const std::string& init_hash, const data::Dataset& data,
                                 const data::Dataset& pretrain_data);

// The part of protocol_fingerprint()'s content that needs no data.
io::Json protocol_settings(const config::ProtocolConfig& protocol,
                           const std::vector<std::string>& varies, const std::string& init_hash);

// What protocol_fingerprint() leaves out, by key: {"protocol.clip.frames": 16}.
io::Json varied_settings(const config::ProtocolConfig& protocol,
                         const std::vector<std::string>& varies, const std::string& init_hash);

// All that the weights of one pretraining depend on, the plugin's file (`plugin_hash`: its SHA-256)
// included. `data` counts only if its labels choose the checkpoint.
Fingerprint pretrain_fingerprint(const config::RowConfig& row, const std::string& plugin_hash,
                                 const std::string& init_hash, const io::Json& method_params,
                                 int64_t seed, const data::Dataset& data,
                                 const data::Dataset& pretrain_data);

// The part of pretrain_fingerprint()'s content that needs no data.
io::Json pretrain_settings(const config::RowConfig& row, const std::string& plugin_hash,
                           const std::string& init_hash, const io::Json& method_params,
                           int64_t seed);

// The same pretraining by another build of the plugin. Without a pretraining (no hash) the content
// alone changes.
Fingerprint with_plugin(const Fingerprint& pretrain, const std::string& plugin_hash);

// The build of the plugin that `before` (a pretraining's content) names, if that is the only key in
// which it differs from `after`.
std::optional<std::string> other_build(io::Json before, const io::Json& after);

// Gives `settings` (of pretrain_settings()) the build of the plugin that `before` names.
void take_build(const io::Json& before, io::Json& settings);

// All that the results of one run depend on. `start`: what finetuning starts from
// and sees.
Fingerprint run_fingerprint(const config::ProtocolConfig& protocol, const std::string& init_hash,
                            const io::Json& start, int64_t seed, const data::Dataset& data,
                            const data::Dataset& pretrain_data);

// "a.b: 1 -> 2" for every key in which two JSON objects differ.
std::vector<std::string> differing_keys(const io::Json& before, const io::Json& after);

}  // namespace avbench::experiment
