#include "experiment/fingerprint.h"

#include "config/varies.h"
#include "config/writer.h"
#include "data/pipeline_version.h"
#include "io/sha256.h"

namespace avbench::experiment {
namespace {

Fingerprint fingerprint_of(io::Json content) {
  std::string hash = io::sha256_hex(io::canonical_json(content));
  return {std::move(content), std::move(hash)};
}

io::Json split_fingerprint(const data::Dataset& data, data::Split split) {
  return {{"samples", data.size(split)}, {"sha256", data.hash(split)}};
}

// The weights it starts from by content; nothing about them if they are random.
io::Json encoder_fingerprint(const config::EncoderConfig& encoder, const std::string& init_hash) {
  io::Json fingerprint = to_json(encoder);
  fingerprint.erase("init");
  fingerprint.erase("init_towers");
  if (!init_hash.empty()) {
    fingerprint["init"] = {{"sha256", init_hash}, {"towers", encoder.init_towers}};
  }
  return fingerprint;
}

// Without paths.
io::Json settings_of(const config::ProtocolConfig& protocol, const std::string& init_hash) {
  io::Json settings = to_json(protocol);
  settings["encoder"] = encoder_fingerprint(protocol.encoder, init_hash);
  for (const char* path : {"source", "pretrain_source", "classes"}) settings["data"].erase(path);
  return settings;
}

// Moves what `varies` covers from `settings` to `varied`, by key.
void take_varied(io::Json& settings, const std::string& path,
                 const std::vector<std::string>& varies, io::Json& varied) {
  for (auto item = settings.begin(); item != settings.end();) {
    const std::string key = path + "." + item.key();
    if (config::covers(varies, key)) {
      varied[key] = item.value();
      item = settings.erase(item);
      continue;
    }
    if (item->is_object()) take_varied(*item, key, varies, varied);
    ++item;
  }
}

// Settings without what varies, and what varies.
std::pair<io::Json, io::Json> divided(const config::ProtocolConfig& protocol,
                                      std::vector<std::string> varies,
                                      const std::string& init_hash) {
  // A fingerprint has it there.
  if (config::covers(varies, "protocol.encoder.init_towers"))
    varies.push_back("protocol.encoder.init.towers");
  std::pair<io::Json, io::Json> parts = {settings_of(protocol, init_hash), io::Json::object()};
  take_varied(parts.first, "protocol", varies, parts.second);
  return parts;
}

}  // namespace

Fingerprint protocol_fingerprint(const config::ProtocolConfig& protocol,
                                 const std::vector<std::string>& varies,
                                 const std::string& init_hash, const data::Dataset& data,
                                 const data::Dataset& pretrain_data) {
  io::Json splits = {{"pretrain", split_fingerprint(pretrain_data, data::Split::kTrain)},
                     {"train", split_fingerprint(data, data::Split::kTrain)},
                     {"val", split_fingerprint(data, data::Split::kVal)},
                     {"test", split_fingerprint(data, data::Split::kTest)}};
  if (config::covers(varies, "protocol.data.pretrain_source")) splits.erase("pretrain");
  io::Json content = protocol_settings(protocol, varies, init_hash);
  content["classes"] = data.classes();
  content["splits"] = std::move(splits);
  return fingerprint_of(std::move(content));
}

io::Json protocol_settings(const config::ProtocolConfig& protocol,
                           const std::vector<std::string>& varies, const std::string& init_hash) {
  return {{"pipeline", data::kPipelineVersion},
          {"settings", divided(protocol, varies, init_hash).first}};
}

io::Json varied_settings(const config::ProtocolConfig& protocol,
                         const std::vector<std::string>& varies, const std::string& init_hash) {
  return divided(protocol, varies, init_hash).second;
}

io::Json pretrain_settings(const config::RowConfig& row, const std::string& plugin_hash,
                           const std::string& init_hash, const io::Json& method_params,
                           int64_t seed) {
  if (!row.pretrained) {
    return {{"method", row.method},
            {"plugin", plugin_hash},
            {"params", method_params},
            {"pretrained", false}};
  }
  const config::ProtocolConfig& protocol = row.protocol;
  return {{"pipeline", data::kPipelineVersion},
          {"clip", to_json(protocol.clip)},
          {"spectrogram", to_json(protocol.spectrogram)},
          {"encoder", encoder_fingerprint(protocol.encoder, init_hash)},
          {"budget", to_json(protocol.pretrain)},
          {"training", to_json(row.pretrain)},
          {"method", row.method},
          {"plugin", plugin_hash},
          {"params", method_params},
          {"seed", seed}};
}

Fingerprint pretrain_fingerprint(const config::RowConfig& row, const std::string& plugin_hash,
                                 const std::string& init_hash, const io::Json& method_params,
                                 int64_t seed, const data::Dataset& data,
                                 const data::Dataset& pretrain_data) {
  io::Json content = pretrain_settings(row, plugin_hash, init_hash, method_params, seed);
  if (!row.pretrained) return {std::move(content), ""};  // nothing that has a result of its own
  const config::ProtocolConfig& protocol = row.protocol;
  content["samples"] = split_fingerprint(pretrain_data, data::Split::kTrain);
  if (protocol.pretrain.select == config::PretrainConfig::Select::kKnn) {
    content["chosen_on"] = {{"train", split_fingerprint(data, data::Split::kTrain)},
                            {"val", split_fingerprint(data, data::Split::kVal)},
                            {"label_fraction", protocol.data.label_fraction},
                            {"validation_fraction", protocol.data.validation_fraction}};
  }
  return fingerprint_of(std::move(content));
}

Fingerprint run_fingerprint(const config::ProtocolConfig& protocol, const std::string& init_hash,
                            const io::Json& start, int64_t seed, const data::Dataset& data,
                            const data::Dataset& pretrain_data) {
  return fingerprint_of(
      {{"protocol", protocol_fingerprint(protocol, {}, init_hash, data, pretrain_data).content},
       {"start", start},
       {"seed", seed}});
}

Fingerprint with_plugin(const Fingerprint& pretrain, const std::string& plugin_hash) {
  io::Json content = pretrain.content;
  content["plugin"] = plugin_hash;
  if (pretrain.hash.empty()) return {std::move(content), ""};
  return fingerprint_of(std::move(content));
}

std::optional<std::string> other_build(io::Json before, const io::Json& after) {
  if (!before.is_object() || !after.is_object() || !after.contains("plugin")) return std::nullopt;
  const io::Json build = before.value("plugin", io::Json(""));
  before["plugin"] = after["plugin"];
  if (before != after || build == after["plugin"] || !build.is_string()) return std::nullopt;
  return build.get<std::string>();
}

void take_build(const io::Json& before, io::Json& settings) {
  if (before.contains("plugin")) settings["plugin"] = before["plugin"];
}

std::vector<std::string> differing_keys(const io::Json& before, const io::Json& after) {
  const io::Json a = before.flatten(), b = after.flatten();
  std::vector<std::string> result;
  const auto describe = [&](std::string pointer, const io::Json& old_value,
                            const io::Json& new_value) {
    if (old_value == new_value) return;  // an empty object, and no key
    pointer.erase(0, 1);
    for (char& c : pointer) c = c == '/' ? '.' : c;
    result.push_back(pointer + ": " + old_value.dump() + " -> " + new_value.dump());
  };
  for (const auto& [key, value] : a.items()) {
    if (!b.contains(key)) {
      describe(key, value, nullptr);
    } else if (b[key] != value) {
      describe(key, value, b[key]);
    }
  }
  for (const auto& [key, value] : b.items()) {
    if (!a.contains(key)) describe(key, nullptr, value);
  }
  return result;
}

}  // namespace avbench::experiment
