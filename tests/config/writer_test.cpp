#include "config/writer.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "config/load.h"
#include "io/atomic_file.h"
#include "io/json.h"
#include "io/temp_folder.h"

namespace avbench::config {
namespace {

// Visits fields() and draws a value for each that a file may hold.
class Randomizer {
 public:
  explicit Randomizer(uint32_t seed) : random_(seed) {}

  void operator()(const char*, int64_t& value, Range range, const char*) { value = integer(range); }
  void operator()(const char*, double& value, Range range, const char*) {
    value = std::uniform_real_distribution(range.min, range.max)(random_);
  }
  void operator()(const char*, std::optional<double>& value, Range range, const char*) {
    value.reset();
    if (integer({0, 1}) == 1) (*this)("", value.emplace(), range, "");
  }
  void operator()(const char*, std::array<int64_t, 2>& value, Range range, const char*) {
    for (int64_t& item : value) item = integer(range);
  }
  void operator()(const char*, std::array<double, 3>& value, Range range, const char*) {
    for (double& item : value) item = std::uniform_real_distribution(range.min, range.max)(random_);
  }
  void operator()(const char*, std::vector<int64_t>& value, Range range, const char*) {
    value = {integer(range), 0};
    value[1] = (value[0] + 1) / 2 + 7;
  }
  void operator()(const char*, bool& value, const char*) { value = integer({0, 1}) == 1; }
  void operator()(const char*, std::string& value, const char*) { value = text(); }
  template <Choice E>
  void operator()(const char*, E& value, const char*) {
    value = words(value).back().value;
  }
  void operator()(const char*, int64_t& value, OneOf allowed, const char*) {
    const std::string numbers = allowed.numbers;
    value = std::stoll(numbers.substr(numbers.rfind('|') + 1));
  }
  template <class T>
  void preset(T&, const std::vector<Preset<T>>&, const char*) {}
  void path(const char*, std::string& value, const char*) { value = "/" + text(); }
  void settings(const char*, std::vector<Setting>& value, const char*) {
    for (int i = 0; i < 3; ++i) value.push_back({text() + std::to_string(i), text(), ""});
  }
  template <class T>
  void section(const char*, T& section) {
    fields(*this, section);
  }
  template <class T>
  void overrides(const char*, T& section, const char*, const char*) {
    fields(*this, section);
  }
  void names(const char*, std::vector<std::string>&, const char*) {}  // see make_consistent()
  void rows(const char*, std::vector<RowConfig>& rows, const Experiment&) {
    for (int i = 0; i < 3; ++i) {
      RowConfig row;
      fields(*this, row);
      row.name = "row " + std::to_string(i);
      row.control_of = i == 0 ? "" : "row 0";
      row.baseline = RowConfig::Baseline::kNone;
      row.method += "m";
      rows.push_back(row);
    }
  }

 private:
  int64_t integer(Range range) {
    return std::uniform_int_distribution(static_cast<int64_t>(range.min),
                                         static_cast<int64_t>(range.max))(random_);
  }
  std::string text() {
    const std::vector<std::string> pieces{"a",  "null", "~",  "true", "1e3", ": ", "#",  "'", "\"",
                                          "\n", "\\",   "\t", " ",    "ö",   "- ", "[x", "&", "<<"};
    std::string result;
    for (int64_t i = integer({0, 3}); i > 0; --i) {
      result += pieces[static_cast<size_t>(integer({0, static_cast<double>(pieces.size() - 1)}))];
    }
    return result;
  }

  std::mt19937 random_;
};

// Makes the keys that are checked against each other and the file system agree.
void make_consistent(Experiment& experiment, const std::string& source) {
  experiment.controls = Experiment::Controls::kNone;  // their rows are written out
  experiment.name = "x";
  experiment.protocol.data.source = source;
  experiment.protocol.data.pretrain_source = "";
  experiment.protocol.data.classes = "";
  experiment.protocol.clip.crop = 8;
  SpectrogramConfig& spectrogram = experiment.protocol.spectrogram;
  spectrogram.crop = 8;
  spectrogram.window = 1;
  spectrogram.bands = spectrogram.n_fft / 2 + 1;  // frequency is linear
  spectrogram.f_min = 0;
  spectrogram.f_max = static_cast<double>(spectrogram.sample_rate) / 2;
  for (auto* schedule : {&experiment.protocol.finetune.schedule, &experiment.training.schedule}) {
    schedule->milestones = {3, 7, 100000};
  }
  for (RowConfig& row : experiment.rows) row.pretrain.schedule.milestones = {1};
  // Of what was drawn for a row's protocol, only what varies.
  experiment.varies = {"protocol.clip.frames", "protocol.finetune.optimizer"};
  for (RowConfig& row : experiment.rows) {
    const ProtocolConfig drawn = row.protocol;
    row.protocol = experiment.protocol;
    row.protocol.clip.frames = drawn.clip.frames;
    row.protocol.finetune.optimizer = drawn.finetune.optimizer;
  }
}

TEST(ToYaml, LoadsBackToAnEqualExperiment) {
  io::TempFolder folder;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    Experiment experiment;
    Randomizer randomizer(seed);
    fields(randomizer, experiment);
    make_consistent(experiment, folder.path());
    io::write_file_atomically(folder / "x.yaml", to_yaml(experiment));
    const Experiment loaded = load_experiment(folder / "x.yaml", {});
    ASSERT_EQ(io::canonical_json(to_json(loaded)), io::canonical_json(to_json(experiment)))
        << to_yaml(experiment);
  }
}

TEST(ToYaml, KeepsTheOrderOfFieldsAndIsReadable) {
  Experiment experiment;
  experiment.name = "x";
  experiment.rows.push_back({.name = "A b", .method = "m", .params = {{"t", "0.1", "f:1"}}});
  const std::string text = to_yaml(experiment);
  EXPECT_TRUE(
      text.starts_with("name: \"x\"\ndescription: \"\"\nseeds: [0]\nvaries: []\ncontrols: "
                       "\"none\"\nprotocol:\n  data:\n"));
  EXPECT_NE(text.find("\n    resize: [128,171]\n"), std::string::npos);
  EXPECT_NE(text.find("\nrows:\n  -\n    name: \"A b\"\n"), std::string::npos);
  EXPECT_NE(text.find("\n    params:\n      t: \"0.1\"\n"), std::string::npos);
}

TEST(ToJson, HoldsOfARowsProtocolWhatDiffersFromTheExperiments) {
  Experiment experiment;
  experiment.protocol.clip.frames = 8;
  RowConfig row{.name = "A", .method = "m", .paper = 75.5, .protocol = experiment.protocol};
  experiment.rows.push_back(row);
  row.protocol.finetune.optimizer.lr = 0.5;
  row.protocol.clip.resize = {128, 172};
  experiment.rows.push_back(row);
  const io::Json rows = to_json(experiment)["rows"];
  EXPECT_EQ(rows[0]["protocol"].dump(), "{}");
  EXPECT_EQ(rows[1]["protocol"].dump(),
            R"({"clip":{"resize":[128,172]},"finetune":{"optimizer":{"lr":0.5}}})");
  EXPECT_EQ(rows[0]["paper"], 75.5);
  EXPECT_TRUE(to_json(RowConfig())["paper"].is_null());
}

TEST(ToJson, HoldsEveryKeyOfASection) {
  EXPECT_EQ(io::canonical_json(to_json(BatchNormConfig())),
            R"({"reestimate":true,"samples":1024})");
  EXPECT_EQ(
      io::canonical_json(to_json(OptimizerConfig())),
      R"({"decay_norms_and_biases":true,"lr":0.001,"momentum":0.9,"name":"sgd","nesterov":false,"weight_decay":0.0005})");
}

TEST(ToJson, SettingsAreAMapWithoutTheirPlace) {
  RowConfig row;
  row.params = {{"t", "0.1", "f:3"}};
  EXPECT_EQ(to_json(row)["params"].dump(), R"({"t":"0.1"})");
}

}  // namespace
}  // namespace avbench::config
