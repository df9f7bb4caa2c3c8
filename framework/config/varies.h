// Names of keys, and the keys of the protocol in which the rows of a table differ.
#pragma once

#include <string>
#include <vector>

#include "config/experiment.h"

namespace avbench::config {

// "protocol.clip.frames", ... in the order of fields().
std::vector<std::string> protocol_keys();

// Every key that `--set` takes, but for those of rows: "name", "protocol.clip.frames",
// "run.threads".
std::vector<std::string> settable_keys();

// Whether `varies` has the key itself or a section that it is in.
bool covers(const std::vector<std::string>& varies, const std::string& key);

struct KeyChange {
  std::string key;       // "protocol.clip.frames"
  std::string from, to;  // as JSON
};

// The keys in which a row's protocol differs from the experiment's.
std::vector<KeyChange> protocol_changes(const ProtocolConfig& experiment,
                                        const ProtocolConfig& row);

}  // namespace avbench::config
