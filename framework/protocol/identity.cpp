#include "protocol/identity.h"

#include "config/varies.h"
#include "config/writer.h"
#include "data/pipeline_version.h"
#include "io/sha256.h"

namespace avbench {
namespace {

Identity identify(Json content) {
  std::string hash = sha256_hex(canonical_json(content));
  return {std::move(content), std::move(hash)};
}

Json split_identity(const Dataset& data, Split split) {
  return {{"samples", data.size(split)}, {"sha256", data.hash(split)}};
}

// The weights it starts from by content; nothing about them if they are random.
Json encoder_identity(const EncoderConfig& encoder, const std::string& init_hash) {
  Json identity = to_json(encoder);
  identity.erase("init");
  identity.erase("init_towers");
  if (!init_hash.empty()) {
    identity["init"] = {{"sha256", init_hash}, {"towers", encoder.init_towers}};
  }
  return identity;
}

// Without paths.
Json settings_of(const ProtocolConfig& protocol, const std::string& init_hash) {
  Json settings = to_json(protocol);
  settings["encoder"] = encoder_identity(protocol.encoder, init_hash);
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
  // An identity has it there.
  if (covers(varies, "protocol.encoder.init_towers"))
    varies.push_back("protocol.encoder.init.towers");
  std::pair<Json, Json> parts = {settings_of(protocol, init_hash), Json::object()};
  take_varied(parts.first, "protocol", varies, parts.second);
  return parts;
}

}  // namespace

Identity protocol_identity(const ProtocolConfig& protocol, const std::vector<std::string>& varies,
                           const std::string& init_hash, const Dataset& data,
                           const Dataset& pretrain_data) {
  Json splits = {{"pretrain", split_identity(pretrain_data, Split::kTrain)},
                 {"train", split_identity(data, Split::kTrain)},
                 {"val", split_identity(data, Split::kVal)},
                 {"test", split_identity(data, Split::kTest)}};
  if (covers(varies, "protocol.data.pretrain_source")) splits.erase("pretrain");
  return identify({{"pipeline", kPipelineVersion},
                   {"settings", divided(protocol, varies, init_hash).first},
                   {"classes", data.classes()},
                   {"splits", splits}});
}

Json varied_settings(const ProtocolConfig& protocol, const std::vector<std::string>& varies,
                     const std::string& init_hash) {
  return divided(protocol, varies, init_hash).second;
}

Identity pretrain_identity(const RowConfig& row, const std::string& plugin_hash,
                           const std::string& init_hash, const Json& method_params, int64_t seed,
                           const Dataset& data, const Dataset& pretrain_data) {
  const ProtocolConfig& protocol = row.protocol;
  Json content = {{"pipeline", kPipelineVersion},
                  {"samples", split_identity(pretrain_data, Split::kTrain)},
                  {"clip", to_json(protocol.clip)},
                  {"spectrogram", to_json(protocol.spectrogram)},
                  {"encoder", encoder_identity(protocol.encoder, init_hash)},
                  {"budget", to_json(protocol.pretrain)},
                  {"training", to_json(row.pretrain)},
                  {"method", row.method},
                  {"plugin", plugin_hash},
                  {"params", method_params},
                  {"seed", seed}};
  if (protocol.pretrain.select == "knn") {
    content["chosen_on"] = {{"train", split_identity(data, Split::kTrain)},
                            {"val", split_identity(data, Split::kVal)},
                            {"label_fraction", protocol.data.label_fraction},
                            {"validation_fraction", protocol.data.validation_fraction}};
  }
  return identify(std::move(content));
}

Identity run_identity(const ProtocolConfig& protocol, const std::string& init_hash,
                      const Json& start, int64_t seed, const Dataset& data,
                      const Dataset& pretrain_data) {
  return identify(
      {{"protocol", protocol_identity(protocol, {}, init_hash, data, pretrain_data).content},
       {"start", start},
       {"seed", seed}});
}

Identity with_plugin(const Identity& pretrain, const std::string& plugin_hash) {
  Json content = pretrain.content;
  content["plugin"] = plugin_hash;
  if (pretrain.hash.empty()) return {std::move(content), ""};
  return identify(std::move(content));
}

std::vector<std::string> differing_keys(const Json& before, const Json& after) {
  const Json a = before.flatten(), b = after.flatten();
  std::vector<std::string> result;
  const auto describe = [&](std::string pointer, const Json& old_value, const Json& new_value) {
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
