#include "config/document.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "config/load.h"
#include "config/value.h"
#include "config/writer.h"
#include "io/atomic_file.h"
#include "io/json.h"
#include "io/temp_folder.h"

namespace avbench::config {
namespace {

namespace fs = std::filesystem;
const fs::path kSource = AVBENCH_SOURCE_DIR;

const KeyDoc& key(const std::vector<KeyDoc>& keys, const std::string& path) {
  return *std::find_if(keys.begin(), keys.end(), [&](const KeyDoc& k) { return k.path == path; });
}

TEST(DocumentKeys, TellTypeDefaultAndRange) {
  const std::vector<KeyDoc> keys = document_keys();
  const KeyDoc& frames = key(keys, "protocol.clip.frames");
  EXPECT_EQ(frames.type, "integer");
  EXPECT_EQ(frames.default_value, "16");
  EXPECT_EQ(frames.allowed, "1 to 1024");
  EXPECT_EQ(frames.doc, "frames of a clip");
  EXPECT_EQ(key(keys, "protocol.finetune.optimizer.weight_decay").default_value, "0.005");
  EXPECT_EQ(key(keys, "protocol.encoder.name").allowed, "r3d, r2plus1d, c3d");
  EXPECT_EQ(key(keys, "rows[].baseline").allowed, "video, audio, both");
  EXPECT_EQ(key(keys, "protocol.spectrogram.channels").allowed, "1, 3");
  const KeyDoc& preset = key(keys, "protocol.spectrogram.preset");
  EXPECT_EQ(preset.allowed, "default, author");
  EXPECT_THAT(preset.doc, testing::HasSubstr("; author: window 1024, hop 512, mel_scale slaney"));
  EXPECT_EQ(key(keys, "rows[].pretrain").default_value, "training");
  EXPECT_EQ(key(keys, "rows[].protocol").default_value, "protocol");
  EXPECT_EQ(key(keys, "rows[].paper").default_value, "null");
  EXPECT_EQ(key(keys, "varies").type, "list of names");
}

TEST(DocumentKeys, CoverEveryKeyThatIsWritten) {
  const io::Json written = to_json(Experiment());
  std::vector<std::string> documented;
  for (const KeyDoc& doc : document_keys()) {
    const bool resolved = doc.path.ends_with(".preset");  // what it stands for is written
    if (!doc.path.starts_with("rows[]") && !resolved) documented.push_back(doc.path);
  }
  std::function<void(const io::Json&, const std::string&)> visit = [&](const io::Json& section,
                                                                       const std::string& path) {
    for (const auto& [name, value] : section.items()) {
      if (value.is_object()) {
        visit(value, path + name + ".");
      } else if (name != "rows") {
        EXPECT_EQ(std::erase(documented, path + name), 1u) << path + name;
      }
    }
  };
  visit(written, "");
  EXPECT_TRUE(documented.empty()) << documented.front();
}

TEST(Configuration, PageHoldsEveryKeyWithItsDefault) {
  const std::string page = io::read_file(kSource / "docs/configuration.md");
  for (const KeyDoc& doc : document_keys()) {
    const std::string cells =
        "| `" + doc.path + "` | " + doc.type + " | `" + doc.default_value + "` | " + doc.allowed;
    EXPECT_NE(page.find(cells), std::string::npos) << "missing in docs/configuration.md: " << cells;
  }
}

TEST(Configuration, PageHoldsTheGeneratedTables) {
  const std::string page = io::read_file(kSource / "docs/configuration.md"),
                    tables = document_markdown();
  EXPECT_NE(page.find(tables), std::string::npos)
      << "replace the tables of docs/configuration.md by:\n"
      << tables;
}

class BaseConfig : public ::testing::Test {
 protected:
  const fs::path path_ = kSource / "configs/base.yaml";
};

TEST_F(BaseConfig, SpellsOutEveryKeyOfAnExperimentButTheRows) {
  const Value root = load_yaml(path_);
  for (const KeyDoc& doc : document_keys()) {
    const bool own = doc.path == "name" || doc.path == "description";
    if (own || doc.path.starts_with("rows[]")) continue;
    EXPECT_NE(find_path(root, doc.path), nullptr) << doc.path;
  }
  EXPECT_EQ(root.find("rows"), nullptr);
}

TEST_F(BaseConfig, IsWhatTheDefaultsAre) {
  io::TempFolder folder;
  io::write_file_atomically(folder / "x.yaml", "extends: " + path_.string() +
                                                   "\nname: x\nprotocol: {data: {source: ./}}\n"
                                                   "rows: [{name: A, method: m}]\n");
  Experiment expected;
  const Experiment loaded = load_experiment(folder / "x.yaml", {});
  expected.name = "x";
  expected.protocol.data.source = loaded.protocol.data.source;
  expected.rows.push_back({.name = "A", .method = "m", .protocol = expected.protocol});
  EXPECT_EQ(io::canonical_json(to_json(loaded)), io::canonical_json(to_json(expected)));
}

}  // namespace
}  // namespace avbench::config
