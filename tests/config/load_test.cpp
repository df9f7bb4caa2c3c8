#include "config/load.h"

#include <gmock/gmock.h>

#include "config/writer.h"
#include "io/atomic_file.h"
#include "io/json.h"
#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class LoadExperiment : public ::testing::Test {
 protected:
  LoadExperiment() {
    std::filesystem::create_directory(folder_ / "data");
    io::write_file_atomically(path_,
                              "name: small\n"
                              "protocol:\n"
                              "  data:\n"
                              "    source: ./data\n"
                              "rows:\n"
                              "  - {name: A, method: m}\n");
  }
  Experiment load(const std::vector<std::string>& sets) { return load_experiment(path_, sets); }
  std::string refusal(const std::vector<std::string>& sets) {
    return io::user_error([&] { load(sets); });
  }

  io::TempFolder folder_;
  std::filesystem::path path_ = folder_ / "x.yaml";
};

TEST_F(LoadExperiment, ReadsTheFileAndTheSets) {
  const Experiment experiment =
      load({"seeds=[3, 5]", "protocol.clip.frames=4", "rows.A.params.t=0.1"});
  EXPECT_EQ(experiment.name, "small");
  EXPECT_EQ(experiment.protocol.data.source, (folder_ / "data").string());
  EXPECT_THAT(experiment.seeds, ElementsAre(3, 5));
  EXPECT_EQ(experiment.protocol.clip.frames, 4);
  ASSERT_EQ(experiment.rows.size(), 1u);
  EXPECT_EQ(experiment.rows[0].params.at(0).where, "--set rows.A.params.t");
}

TEST_F(LoadExperiment, NamesThePlaceOfAProblem) {
  io::write_file_atomically(
      path_,
      "name: small\nprotocol:\n  data: {source: ./data}\n  clip:\n    crop: 200\n"
      "    frame: 8\nrows: [{name: A, method: m}]\n");
  EXPECT_THAT(refusal({}),
              AllOf(HasSubstr(path_.string() + ":6: unknown key 'protocol.clip.frame' (did you"),
                    HasSubstr(path_.string() + ":5: protocol.clip.crop: got 200, expected at most "
                                               "128, the smaller side of protocol.clip.resize")));
  EXPECT_THAT(refusal({"protocol.clip.fps=3"}),
              HasSubstr("--set protocol.clip.fps: unknown key 'protocol.clip.fps'"));
}

TEST_F(LoadExperiment, ChecksKeysAgainstEachOther) {
  EXPECT_THAT(refusal({"protocol.spectrogram.crop=130"}),
              HasSubstr("--set protocol.spectrogram.crop: protocol.spectrogram.crop: got 130"));
  // The key is a default: the file is named.
  EXPECT_THAT(refusal({"protocol.spectrogram.sample_rate=16000"}),
              StartsWith(path_.string() + ": protocol.spectrogram.f_max: expected at most half"));
  EXPECT_THAT(refusal({"protocol.spectrogram.f_min=12000"}), HasSubstr("expected less than"));
  EXPECT_THAT(refusal({"protocol.spectrogram.window=2049"}),
              HasSubstr("got 2049, expected at most protocol.spectrogram.n_fft, 2048"));
  EXPECT_THAT(refusal({"seeds=[]"}), HasSubstr("at least one seed"));
  EXPECT_THAT(refusal({"seeds=[1, 2, 1]"}), HasSubstr("a seed is given twice"));
  EXPECT_THAT(refusal({"rows=[]"}), HasSubstr("at least one row"));
}

TEST_F(LoadExperiment, ChecksSources) {
  EXPECT_THAT(refusal({"protocol.data.source="}), HasSubstr("expected a folder <split>"));
  EXPECT_THAT(refusal({"protocol.data.source=/nowhere/data"}),
              HasSubstr("protocol.data.source: '/nowhere/data' does not exist"));
  EXPECT_THAT(refusal({"protocol.data.classes=/nowhere/list"}),
              HasSubstr("protocol.data.classes: '/nowhere/list' does not exist"));
  EXPECT_THAT(refusal({"protocol.data.pretrain_source=/nowhere"}),
              HasSubstr("protocol.data.pretrain_source: '/nowhere' does not exist"));
}

TEST_F(LoadExperiment, ChecksTheName) {
  for (const char* name : {"", "a b", "a/b", "..", "pretrain", "runs"}) {
    EXPECT_THAT(refusal({std::string("name=") + name}), HasSubstr("name: ")) << name;
  }
  EXPECT_EQ(load({"name=Table-2_v1.5"}).name, "Table-2_v1.5");
}

TEST_F(LoadExperiment, TakesTheTransformsOwnBinsOnlyWhenTheyFit) {
  const std::string linear = "protocol.spectrogram.frequency=linear";
  EXPECT_EQ(load({linear, "protocol.spectrogram.n_fft=511"}).protocol.spectrogram.bands, 256);
  EXPECT_THAT(refusal({linear}), AllOf(HasSubstr("got 256, expected 1025, the bins of"),
                                       HasSubstr("or n_fft 511 for 256 bins")));
  EXPECT_THAT(refusal({linear, "protocol.spectrogram.n_fft=511", "protocol.spectrogram.f_min=50"}),
              HasSubstr("expected f_min 0"));
}

TEST_F(LoadExperiment, GivesOneChannelOnlyToATowerOfItsOwn) {
  const std::string one = "protocol.spectrogram.channels=1";
  EXPECT_EQ(load({one}).protocol.spectrogram.channels, 1);
  EXPECT_THAT(refusal({one, "protocol.encoder.shared=true"}), HasSubstr("enter the same tower"));
  EXPECT_THAT(refusal({one, "protocol.spectrogram.colour=magma"}), HasSubstr("is 'magma'"));
  EXPECT_THAT(refusal({"protocol.spectrogram.channels=2"}), HasSubstr("expected one of 1, 3"));
}

// ---- rows that differ in the protocol -----------------------------------------------------------

class LoadTable : public LoadExperiment {
 protected:
  void write(const std::string& varies, const std::string& row_protocol) {
    io::write_file_atomically(path_, "name: small\nvaries: " + varies +
                                         "\nprotocol: {data: {source: ./data}}\nrows:\n"
                                         "  - {name: A, method: m, paper: 75.6}\n"
                                         "  - name: B\n"
                                         "    method: m\n"
                                         "    protocol:\n" +
                                         row_protocol);
  }
};

TEST_F(LoadTable, ARowsProtocolIsTheExperimentsWithItsOwnValues) {
  write("[protocol.clip.frames, protocol.spectrogram]",
        "      clip: {frames: 1}\n      spectrogram: {preset: author, crop: 100}\n");
  const Experiment e = load({"protocol.clip.stride=2", "protocol.spectrogram.hop=300"});
  EXPECT_EQ(e.rows[0].protocol.clip.frames, 16);
  EXPECT_EQ(e.rows[0].paper, 75.6);
  EXPECT_FALSE(e.rows[1].paper);
  EXPECT_EQ(e.rows[1].protocol.clip.frames, 1);
  EXPECT_EQ(e.rows[1].protocol.clip.stride, 2);
  EXPECT_EQ(e.rows[1].protocol.spectrogram.hop, 512);
  EXPECT_EQ(e.rows[1].protocol.spectrogram.crop, 100);
  EXPECT_EQ(e.protocol.clip.frames, 16);
}

TEST_F(LoadTable, RefusesARowThatDiffersInWhatDoesNotVary) {
  write("[protocol.clip.frames]",
        "      clip: {frames: 1, stride: 2}\n      spectrogram:\n        preset: author\n");
  const std::string message = refusal({});
  EXPECT_THAT(message, HasSubstr(path_.string() +
                                 ":9: row 'B': protocol.clip.stride: 1 -> 2 differs from the "
                                 "experiment's, and `varies` names only protocol.clip.frames"));
  EXPECT_THAT(message, HasSubstr(":10: row 'B': protocol.spectrogram.colour: \"grey\" -> "
                                 "\"magma\""));
  EXPECT_THAT(message, testing::Not(HasSubstr("protocol.clip.frames: 16")));
  EXPECT_THAT(refusal({"varies=[]"}), HasSubstr("nothing is named by `varies`"));
}

TEST_F(LoadTable, ChecksTheKeysOfARowAgainstEachOther) {
  write("[protocol.clip]", "      clip:\n        crop: 200\n");
  EXPECT_THAT(refusal({}),
              StartsWith(path_.string() + ":10: row 'B': protocol.clip.crop: got 200, expected at "
                                          "most 128"));
  write("[protocol.clip]", "      clip: {frame: 2}\n");
  EXPECT_THAT(refusal({}), HasSubstr("unknown key 'rows[1].protocol.clip.frame'"));
}

TEST_F(LoadExperiment, RefusesMilestonesThatAreMissingOrNotAscending) {
  const std::string steps = "training.schedule.name=milestones";
  EXPECT_THAT(refusal({steps}), HasSubstr("training.schedule.milestones: got none"));
  for (const char* wrong : {"[3,2]", "[2,2]"}) {
    EXPECT_THAT(refusal({steps, std::string("training.schedule.milestones=") + wrong}),
                HasSubstr("expected ascending epochs, each once"));
  }
  EXPECT_EQ(
      load({steps, "training.schedule.milestones=[2,3]"}).rows[0].pretrain.schedule.milestones,
      (std::vector<int64_t>{2, 3}));
  EXPECT_THAT(refusal({"protocol.finetune.schedule.name=milestones"}),
              HasSubstr("protocol.finetune.schedule.milestones: got none"));
  EXPECT_THAT(refusal({"rows.A.pretrain.schedule.name=milestones"}),
              HasSubstr("row 'A': pretrain.schedule.milestones: got none"));
}

TEST_F(LoadExperiment, RefusesAControlOfARowThatIsNotThere) {
  EXPECT_THAT(refusal({"rows.A.control_of=B"}),
              HasSubstr("row 'A': control_of: no row named 'B'; rows: A"));
  EXPECT_EQ(load({"rows.A.control_of=A"}).rows[0].control_of, "A");
}

TEST_F(LoadTable, RefusesNamesThatAreNoKeysAndKeysThatMustNotVary) {
  write("[protocol.clip.frame]", "      clip: {frames: 16}\n");
  EXPECT_THAT(refusal({}),
              AllOf(StartsWith(path_.string() + ":2: varies: 'protocol.clip.frame' is"),
                    HasSubstr("(did you mean 'protocol.clip.frames'?)")));
  EXPECT_THAT(refusal({"varies=[protocol.data]"}), HasSubstr("protocol.data.source decides which"));
  EXPECT_THAT(refusal({"varies=[protocol.data.classes]"}), HasSubstr("which files are tested"));
  EXPECT_THAT(refusal({"varies=frames"}), HasSubstr("expected a list of names"));
  EXPECT_EQ(load({"varies=[protocol.data.label_fraction]"}).varies.size(), 1u);
}

TEST_F(LoadExperiment, RefusesShuffledPairsInABatchOfOne) {
  const std::vector<std::string> sets = {"protocol.pretrain.pairs=shuffled",
                                         "protocol.pretrain.batch_size=1"};
  EXPECT_THAT(refusal(sets),
              AllOf(HasSubstr("protocol.pretrain.batch_size: got 1"), HasSubstr("'shuffled'")));
  EXPECT_EQ(load({sets[0], "protocol.pretrain.batch_size=2"}).protocol.pretrain.batch_size, 2);
}

TEST_F(LoadExperiment, LaysFilesOverTheConfigurationBeforeTheSets) {
  io::write_file_atomically(folder_ / "a.yaml", "protocol: {clip: {frames: 2, crop: 50}}\n");
  io::write_file_atomically(folder_ / "b.yaml",
                            "protocol: {clip: {frames: 3}}\nrows: {A: {paper: 12}}\n");
  const std::vector<std::filesystem::path> overlays = {folder_ / "a.yaml", folder_ / "b.yaml"};
  const Experiment e = load_experiment(path_, {"protocol.clip.stride=4"}, overlays);
  EXPECT_EQ(e.protocol.clip.frames, 3);
  EXPECT_EQ(e.protocol.clip.crop, 50);
  EXPECT_EQ(e.protocol.clip.stride, 4);
  EXPECT_EQ(e.rows[0].paper, 12);
  EXPECT_EQ(e.rows[0].protocol.clip.frames, 3);
  EXPECT_THAT(io::user_error([&] { load_experiment(path_, {}, {folder_ / "none.yaml"}); }),
              HasSubstr("none.yaml"));
}

// ---- presets ------------------------------------------------------------------------------------

TEST_F(LoadExperiment, APresetIsTheSameProtocolAsItsKeys) {
  const std::string spectrogram = "protocol.spectrogram.";
  const Experiment expansion = load(
      {spectrogram + "window=1024", spectrogram + "hop=512", spectrogram + "n_fft=2048",
       spectrogram + "bands=256", spectrogram + "f_max=12000", spectrogram + "sample_rate=24000",
       spectrogram + "scale=db", spectrogram + "mel_scale=slaney", spectrogram + "mel_norm=slaney",
       spectrogram + "flip=true", spectrogram + "colour=magma"});
  const Experiment preset = load({spectrogram + "preset=author"});
  EXPECT_EQ(io::canonical_json(to_json(preset)), io::canonical_json(to_json(expansion)));
  EXPECT_EQ(to_yaml(preset), to_yaml(expansion));
  EXPECT_EQ(io::canonical_json(to_json(load({spectrogram + "preset=default"}))),
            io::canonical_json(to_json(load({}))));
}

TEST_F(LoadExperiment, KeysBesideAPresetOverrideItInAnyOrder) {
  const std::string preset = "protocol.spectrogram.preset=author",
                    key = "protocol.spectrogram.hop=300";
  for (const auto& sets :
       {std::vector{preset, key}, std::vector{key, preset},
        std::vector<std::string>{key, "protocol.spectrogram={preset: author}"},
        std::vector<std::string>{"protocol={spectrogram: {preset: author}}", key},
        std::vector<std::string>{"protocol.spectrogram={hop: 300, preset: author}"}}) {
    const SpectrogramConfig got = load(sets).protocol.spectrogram;
    EXPECT_EQ(got.hop, 300);
    EXPECT_EQ(got.window, 1024);
  }
  EXPECT_THAT(refusal({"protocol.spectrogram.preset=auther"}),
              AllOf(HasSubstr("expected one of default, author"), HasSubstr("did you mean")));
}

TEST_F(LoadExperiment, APresetOverrulesTheFilesThatAreExtended) {
  const auto spectrogram = [&](const std::string& first, const std::string& second,
                               const std::vector<std::string>& sets) {
    io::write_file_atomically(folder_ / "first.yaml", "protocol: {spectrogram: " + first + "}\n");
    io::write_file_atomically(folder_ / "second.yaml", "protocol: {spectrogram: " + second + "}\n");
    io::write_file_atomically(folder_ / "both.yaml",
                              "extends: [x.yaml, first.yaml, second.yaml]\n");
    return load_experiment(folder_ / "both.yaml", sets).protocol.spectrogram;
  };
  EXPECT_EQ(spectrogram("{hop: 300}", "{preset: author}", {}).hop, 512);
  EXPECT_EQ(spectrogram("{preset: author}", "{hop: 300}", {}).hop, 300);
  EXPECT_EQ(spectrogram("{preset: author}", "{hop: 300}", {}).window, 1024);
  EXPECT_EQ(spectrogram("{preset: author, hop: 300}", "{preset: default}", {}).hop, 240);
  EXPECT_EQ(spectrogram("{hop: 300}", "{crop: 64}", {"protocol.spectrogram.preset=author"}).hop,
            512);
}

// As if each had been written out, in the order of the rows.
TEST_F(LoadExperiment, AddsAControlToEveryRowThatIsPretrained) {
  const std::string rows =
      "rows=[{name: A, method: m, params: {t: 3}, sweep: {params.t: [1, 2]}}, "
      "{name: B, baseline: both}, {name: C, method: n, pretrained: false}, "
      "{name: D, method: n, paper: 50, protocol: {finetune: {hidden: 7}}}]";
  const Experiment experiment =
      load({rows, "varies=[protocol.finetune.hidden]", "controls=shuffled_pairs"});
  const Experiment written =
      load({rows, "varies=[protocol.finetune.hidden, protocol.pretrain.pairs]",
            "rows=" + rows.substr(5, rows.size() - 6) +
                ", {name: A shuffled, control_of: A, method: m, params: {t: 3}, "
                "protocol: {pretrain: {pairs: shuffled}}}, "
                "{name: D shuffled, control_of: D, method: n, "
                "protocol: {finetune: {hidden: 7}, pretrain: {pairs: shuffled}}}]"});
  EXPECT_EQ(to_yaml(experiment), to_yaml(written));
}

TEST_F(LoadExperiment, AddsControlsOnce) {
  io::write_file_atomically(folder_ / "resolved.yaml", to_yaml(load({"controls=shuffled_pairs"})));
  const Experiment again = load_experiment(folder_ / "resolved.yaml", {});
  ASSERT_EQ(again.rows.size(), 2u);
  EXPECT_EQ(again.rows[1].name, "A shuffled");
  // Asked for again, it is no control of a control.
  EXPECT_THAT(io::user_error(
                  [&] { load_experiment(folder_ / "resolved.yaml", {"controls=shuffled_pairs"}); }),
              HasSubstr("the control of row 'A' would be named 'A shuffled'"));
}

TEST_F(LoadExperiment, AControlsNameIsNoLongerThanARowsMayBe) {
  const auto row = [](size_t length) {
    return "rows=[{name: " + std::string(length, 'a') + ", method: m}]";
  };
  EXPECT_EQ(load({row(91), "controls=shuffled_pairs"}).rows[1].name.size(), 100u);
  EXPECT_THAT(refusal({row(92), "controls=shuffled_pairs"}),
              HasSubstr("expected at most 100 characters: shorten the row's name"));
}

TEST_F(LoadExperiment, ControlsNeedABatchOfTwo) {
  EXPECT_THAT(refusal({"controls=shuffled_pairs", "protocol.pretrain.batch_size=1"}),
              HasSubstr("protocol.pretrain.batch_size: got 1, expected at least 2"));
  EXPECT_THAT(refusal({"controls=shufled_pairs"}), HasSubstr("did you mean 'shuffled_pairs'"));
}

}  // namespace
}  // namespace avbench::config
