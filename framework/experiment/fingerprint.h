// What makes two runs comparable, and what a pretraining depends on, as hashes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/row_config.h"
#include "data/dataset.h"
#include "io/json.h"

namespace avbench {

inline constexpr size_t kHashInPath = 16;  // hexadecimal digits of a hash that names a folder

struct Fingerprint {
  Json content;
  std::string hash;  // SHA-256 of the canonical JSON
};

// Data by sample ids, sampling, transforms, encoders, budget and evaluation: equal for all rows of
// a table, whose `varies` are left out. Paths, threads and seeds are not part of it.
// `init_hash`: of the file protocol.encoder.init, empty if there is none.
Fingerprint protocol_fingerprint(const ProtocolConfig& protocol,
                                 const std::vector<std::string>& varies,
                                 const std::string& init_hash, const Dataset& data,
                                 const Dataset& pretrain_data);

// The part of protocol_fingerprint()'s content that needs no data.
Json protocol_settings(const ProtocolConfig& protocol, const std::vector<std::string>& varies,
                       const std::string& init_hash);

// What protocol_fingerprint() leaves out, by key: {"protocol.clip.frames": 16}.
Json varied_settings(const ProtocolConfig& protocol, const std::vector<std::string>& varies,
                     const std::string& init_hash);

// All that the weights of one pretraining depend on, the plugin's file (`plugin_hash`: its SHA-256)
// included. `data` counts only if its labels choose the checkpoint.
Fingerprint pretrain_fingerprint(const RowConfig& row, const std::string& plugin_hash,
                                 const std::string& init_hash, const Json& method_params,
                                 int64_t seed, const Dataset& data, const Dataset& pretrain_data);

// The part of pretrain_fingerprint()'s content that needs no data.
Json pretrain_settings(const RowConfig& row, const std::string& plugin_hash,
                       const std::string& init_hash, const Json& method_params, int64_t seed);

// The same pretraining by another build of the plugin. Without a pretraining (no hash) the content
// alone changes.
Fingerprint with_plugin(const Fingerprint& pretrain, const std::string& plugin_hash);

// The build of the plugin that `before` (a pretraining's content) names, if that is the only key in
// which it differs from `after`.
std::optional<std::string> other_build(Json before, const Json& after);

// Gives `settings` (of pretrain_settings()) the build of the plugin that `before` names.
void take_build(const Json& before, Json& settings);

// All that the results of one run depend on. `start`: what finetuning starts from
// and sees.
Fingerprint run_fingerprint(const ProtocolConfig& protocol, const std::string& init_hash,
                            const Json& start, int64_t seed, const Dataset& data,
                            const Dataset& pretrain_data);

// "a.b: 1 -> 2" for every key in which two JSON objects differ.
std::vector<std::string> differing_keys(const Json& before, const Json& after);

}  // namespace avbench
