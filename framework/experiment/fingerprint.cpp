#include "experiment/fingerprint.h"

#include "config/varies.h"
#include "config/writer.h"
#include "data/pipeline_version.h"
#include "io/sha256.h"

namespace avbench {
namespace {

Fingerprint fingerprint_of(Json content) {
  std::string hash = sha256_hex(canonical_json(content));
  return {std::move(content), std::move(hash)};
}

Json split_fingerprint(const Dataset& data, Split split) {
  return {{"samples", data.size(split)}, {"sha256", data.hash(split)}};
}

// The weights it starts from by content; nothing about them if they are random.
Json encoder_fingerprint(const EncoderConfig& encoder, const std::string& init_hash) {
  Json fingerprint = to_json(encoder);
  fingerprint.erase("init");
  fingerprint.erase("init_towers");
  if (!init_hash.empty()) {
    fingerprint["init"] = {{"sha256", init_hash}, {"towers", encoder.init_towers}};
  }
  return fingerprint;
}

// Without paths.
Json settings_of(const ProtocolConfig& protocol, const std::string& init_hash) {
  Json settings = to_json(protocol);
  settings["encoder"] = encoder_fingerprint(protocol.encoder, init_hash);
  for (const char* path : {"source", "pretrain_source", "classes"}) settings["data"].erase(path);
  return settings;
}

// Moves what `varies` covers from `settings` to `varied`, by key.
void take_varied(Json& settings, const std::string& path, const std::vector<std::string>& varies,
                 Json& varied) {
  for (auto item = settings.begin(); item != settings.end();) {
    const std::string key = path + "." + item.key();
    if (covers(varies, key)) {
      varied[key] = item.value();
      item = settings.erase(item);
      continue;
    }
    if (item->is_object()) take_varied(*item, key, varies, varied);
    ++item;
  }
}

// Settings without what varies, and what varies.
std::pair<Json, Json> divided(const ProtocolConfig& protocol, std::vector<std::string> varies,
                              const std::string& init_hash) {
  // A fingerprint has it there.
  if (covers(varies, "protocol.encoder.init_towers"))
    varies.push_back("protocol.encoder.init.towers");
  std::pair<Json, Json> parts = {settings_of(protocol, init_hash), Json::object()};
  take_varied(parts.first, "protocol", varies, parts.second);
  return parts;
}

}  // namespace

Fingerprint protocol_fingerprint(const ProtocolConfig& protocol,
                                 const std::vector<std::string>& varies,
                                 const std::string& init_hash, const Dataset& data,
                                 const Dataset& pretrain_data) {
  Json splits = {{"pretrain", split_fingerprint(pretrain_data, Split::kTrain)},
                 {"train", split_fingerprint(data, Split::kTrain)},
                 {"val", split_fingerprint(data, Split::kVal)},
                 {"test", split_fingerprint(data, Split::kTest)}};
  if (covers(varies, "protocol.data.pretrain_source")) splits.erase("pretrain");
  Json content = protocol_settings(protocol, varies, init_hash);
  content["classes"] = data.classes();
  content["splits"] = std::move(splits);
  return fingerprint_of(std::move(content));
}

Json protocol_settings(const ProtocolConfig& protocol, const std::vector<std::string>& varies,
                       const std::string& init_hash) {
  return {{"pipeline", kPipelineVersion}, {"settings", divided(protocol, varies, init_hash).first}};
}

Json varied_settings(const ProtocolConfig& protocol, const std::vector<std::string>& varies,
                     const std::string& init_hash) {
  return divided(protocol, varies, init_hash).second;
}

Json pretrain_settings(const RowConfig& row, const std::string& plugin_hash,
                       const std::string& init_hash, const Json& method_params, int64_t seed) {
  if (!row.pretrained) {
    return {{"method", row.method},
            {"plugin", plugin_hash},
            {"params", method_params},
            {"pretrained", false}};
  }
  const ProtocolConfig& protocol = row.protocol;
  return {{"pipeline", kPipelineVersion},
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

Fingerprint pretrain_fingerprint(const RowConfig& row, const std::string& plugin_hash,
                                 const std::string& init_hash, const Json& method_params,
                                 int64_t seed, const Dataset& data, const Dataset& pretrain_data) {
  Json content = pretrain_settings(row, plugin_hash, init_hash, method_params, seed);
  if (!row.pretrained) return {std::move(content), ""};  // nothing that has a result of its own
  const ProtocolConfig& protocol = row.protocol;
  content["samples"] = split_fingerprint(pretrain_data, Split::kTrain);
  if (protocol.pretrain.select == PretrainConfig::Select::kKnn) {
    content["chosen_on"] = {{"train", split_fingerprint(data, Split::kTrain)},
                            {"val", split_fingerprint(data, Split::kVal)},
                            {"label_fraction", protocol.data.label_fraction},
                            {"validation_fraction", protocol.data.validation_fraction}};
  }
  return fingerprint_of(std::move(content));
}

Fingerprint run_fingerprint(const ProtocolConfig& protocol, const std::string& init_hash,
                            const Json& start, int64_t seed, const Dataset& data,
                            const Dataset& pretrain_data) {
  return fingerprint_of(
      {{"protocol", protocol_fingerprint(protocol, {}, init_hash, data, pretrain_data).content},
       {"start", start},
       {"seed", seed}});
}

Fingerprint with_plugin(const Fingerprint& pretrain, const std::string& plugin_hash) {
  Json content = pretrain.content;
  content["plugin"] = plugin_hash;
  if (pretrain.hash.empty()) return {std::move(content), ""};
  return fingerprint_of(std::move(content));
}

std::optional<std::string> other_build(Json before, const Json& after) {
  if (!before.is_object() || !after.is_object() || !after.contains("plugin")) return std::nullopt;
  const Json build = before.value("plugin", Json(""));
  before["plugin"] = after["plugin"];
  if (before != after || build == after["plugin"] || !build.is_string()) return std::nullopt;
  return build.get<std::string>();
}

void take_build(const Json& before, Json& settings) {
  if (before.contains("plugin")) settings["plugin"] = before["plugin"];
}

std::vector<std::string> differing_keys(const Json& before, const Json& after) {
  const Json a = before.flatten(), b = after.flatten();
  std::vector<std::string> result;
  const auto describe = [&](std::string pointer, const Json& old_value, const Json& new_value) {
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

}  // namespace avbench
