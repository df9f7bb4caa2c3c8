// What makes two runs comparable, and what a pretraining depends on, as hashes.
#pragma once

#include <string>

#include "config/experiment.h"
#include "data/dataset.h"
#include "io/json.h"

namespace avbench {

struct Identity {
  Json content;
  std::string hash;  // SHA-256 of the canonical JSON
};

// Data by sample ids, sampling, transforms, encoders, budget and evaluation: equal for all rows of
// a table. Paths, threads and seeds are not part of it.
// `init_hash`: of the file protocol.encoder.init, empty if there is none.
Identity protocol_identity(const Experiment& experiment, const std::string& init_hash,
                           const Dataset& data, const Dataset& pretrain_data);

// All that the weights of one pretraining depend on.
Identity pretrain_identity(const Experiment& experiment, const std::string& init_hash,
                           const RowConfig& row, const Json& method_params, int64_t seed,
                           const Dataset& data, const Dataset& pretrain_data);

// "a.b: 1 -> 2" for every key in which two JSON objects differ.
std::vector<std::string> differing_keys(const Json& before, const Json& after);

}  // namespace avbench
