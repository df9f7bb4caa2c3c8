#include "config/reader.h"

#include <gmock/gmock.h>

#include "io/message.h"

namespace avbench::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

template <class T>
T read(const std::string& yaml) {
  T section;
  Problems problems;
  read_section(parse_yaml(yaml, "f:1"), "s", section, problems);
  problems.throw_if_any();
  return section;
}

template <class T>
std::string refusal(const std::string& yaml) {
  return io::user_error([&] { read<T>(yaml); });
}

TEST(Reader, FillsEveryTypeAndLeavesTheRest) {
  const auto clip = read<ClipConfig>("{frames: +8, resize: [64, 80]}");
  EXPECT_EQ(clip.frames, 8);
  EXPECT_EQ(clip.stride, 1);
  EXPECT_THAT(clip.resize, ElementsAre(64, 80));
  const auto optimizer =
      read<OptimizerConfig>("{name: adamw, lr: 1e-4, momentum: 0, nesterov: true}");
  EXPECT_EQ(optimizer.name, OptimizerConfig::Name::kAdamw);
  EXPECT_EQ(optimizer.lr, 1e-4);
  EXPECT_EQ(optimizer.momentum, 0);
  EXPECT_TRUE(optimizer.nesterov);
  EXPECT_EQ(optimizer.weight_decay, 5e-4);
  EXPECT_EQ(read<RunConfig>("{results: 12}").results, "12");
  EXPECT_EQ(read<ClipConfig>("").frames, 16);
}

TEST(Reader, TakesThreeNumbersAndNoOtherCount) {
  EXPECT_EQ(read<ClipConfig>("{mean: [0.5, 1, -2e-1]}").mean,
            (std::array<double, 3>{0.5, 1, -0.2}));
  EXPECT_THAT(refusal<ClipConfig>("{mean: [0.5, 1]}"),
              HasSubstr("expected a list of three numbers from -10 to 10"));
  EXPECT_THAT(refusal<ClipConfig>("{std: [1, 1, 0]}"), HasSubstr("s.std: got '0'"));
}

TEST(Reader, KeepsTheDefaultsOfASection) {
  EXPECT_EQ(read<FinetuneConfig>("{optimizer: {lr: 0.5}}").optimizer.weight_decay, 5e-3);
}

TEST(Reader, RefusesUnknownKeys) {
  EXPECT_EQ(
      refusal<ClipConfig>("{frame: 8}"),
      "f:1: unknown key 's.frame' (did you mean 'frames'?); known here: frames, stride, start, "
      "resize, crop, flip, jitter, mean, std");
  EXPECT_EQ(refusal<TrainingConfig>("{schedule: {banana: 8}}").substr(0, 42),
            "f:1: unknown key 's.schedule.banana'; know");
}

TEST(Reader, RefusesOtherTypes) {
  const auto frames = [](const std::string& value) {
    return refusal<ClipConfig>("{frames: " + value + "}");
  };
  EXPECT_EQ(frames("abc"), "f:1: s.frames: got 'abc', expected an integer from 1 to 1024");
  EXPECT_THAT(frames("'8'"), HasSubstr("got the quoted text '8'"));
  for (const char* value : {"8.0", "1e1", "0x10", "8x", "", "~", "[8]", "{a: 8}", "+-8", "1_0"}) {
    EXPECT_THAT(frames(value), HasSubstr("expected an integer")) << value;
  }
  for (const char* value : {"x", ".nan", ".inf", "nan", "inf", "1e999", "1;5", "[1]"}) {
    EXPECT_THAT(refusal<OptimizerConfig>(std::string("{lr: ") + value + "}"),
                HasSubstr("expected a number from 0 to 1000"))
        << value;
  }
  for (const char* value : {"yes", "1", "'true'", "[]"}) {
    EXPECT_THAT(refusal<OptimizerConfig>(std::string("{nesterov: ") + value + "}"),
                HasSubstr("expected true or false"))
        << value;
  }
  EXPECT_THAT(refusal<ClipConfig>("{resize: 128}"), HasSubstr("expected a list of two integers"));
  EXPECT_THAT(refusal<ClipConfig>("{resize: [1, 2, 3]}"), HasSubstr("a list of two integers"));
  EXPECT_THAT(refusal<ClipConfig>("{resize: [128, x]}"), HasSubstr("s.resize: got 'x'"));
  EXPECT_THAT(refusal<RunConfig>("{results: [a]}"), HasSubstr("got a list, expected text"));
  EXPECT_EQ(refusal<ClipConfig>("5"),
            "f:1: s: got '5', expected a map of keys: frames, stride, start, resize, crop, "
            "flip, jitter, mean, std");
}

TEST(Reader, RefusesWhatIsOutOfRange) {
  EXPECT_EQ(refusal<ClipConfig>("{frames: 0}"),
            "f:1: s.frames: got '0', expected an integer from 1 to 1024");
  EXPECT_THAT(refusal<ClipConfig>("{frames: 99999999999999999999}"), HasSubstr("from 1 to 1024"));
  EXPECT_THAT(refusal<OptimizerConfig>("{momentum: 1}"), HasSubstr("from 0 to 0.9999"));
  EXPECT_EQ(read<ClipConfig>("{frames: 1024}").frames, 1024);
}

TEST(Reader, RefusesWordsThatAreNoChoice) {
  EXPECT_EQ(refusal<EncoderConfig>("{name: r3dd}"),
            "f:1: s.name: got 'r3dd', expected one of r3d, r2plus1d, c3d (did you mean 'r3d'?)");
  EXPECT_THAT(refusal<EncoderConfig>("{name: }"), HasSubstr("got nothing, expected one of"));
}

TEST(Reader, ReportsEverythingTogetherUpToTwenty) {
  EXPECT_THAT(
      refusal<ClipConfig>("{frames: x, crop: y, z: 1}"),
      AllOf(HasSubstr("s.frames"), HasSubstr("\nf:1: s.crop"), HasSubstr("\nf:1: unknown")));
  std::string many = "{";
  for (int i = 0; i < 30; ++i) many += "k" + std::to_string(i) + ": 1, ";
  EXPECT_THAT(refusal<ClipConfig>(many + "}"),
              AllOf(HasSubstr("'s.k19'"), Not(HasSubstr("'s.k20'")), HasSubstr("\nand 10 more")));
}

TEST(Reader, PathsWithDotsStartAtTheFile) {
  const auto resolved = [](const std::string& text, const std::string& folder) {
    Value root = parse_yaml("{source: " + text + "}", "f:1");
    root.children[0].folder = folder;
    DataConfig data;
    Problems problems;
    read_section(root, "s", data, problems);
    return data.source;
  };
  const auto here = std::filesystem::current_path();
  EXPECT_EQ(resolved("data/x", "configs"), "data/x");
  EXPECT_EQ(resolved("/abs/x", "configs"), "/abs/x");
  EXPECT_EQ(resolved("./x", "configs"), "configs/x");
  EXPECT_EQ(resolved("../data/x", "configs"), "data/x");
  EXPECT_EQ(resolved("../x", "/a/b"), "/a/x");
  EXPECT_EQ(resolved("./x", "."), "x");
  EXPECT_EQ(resolved("./.x", "."), ".x");
  EXPECT_EQ(resolved("./x", ""), "x");
  EXPECT_EQ(resolved("../x", "."), (here.parent_path() / "x").string());
}

TEST(Reader, SettingsKeepTextAndPlace) {
  const auto row =
      read<RowConfig>("{params: {t: 0.10, words: [a, b], flag: true, none: , q: '1'}}");
  ASSERT_EQ(row.params.size(), 5u);
  EXPECT_EQ(row.params[0].name, "t");
  EXPECT_EQ(row.params[0].text, "0.10");
  EXPECT_EQ(row.params[0].where, "f:1");
  EXPECT_EQ(row.params[1].text, "a,b");
  EXPECT_EQ(row.params[2].text, "true");
  EXPECT_EQ(row.params[3].text, "");
  EXPECT_EQ(row.params[4].text, "1");
  EXPECT_EQ(refusal<RowConfig>("{params: {t: {a: 1}}}"),
            "f:1: s.params.t: got a map of keys, expected a value or a list of values");
  EXPECT_THAT(refusal<RowConfig>("{params: {t: [[1]]}}"), HasSubstr("s.params.t: got a list"));
  EXPECT_THAT(refusal<RowConfig>("{params: 3}"), HasSubstr("s.params: got '3'"));
}

TEST(Reader, RowsStartFromTheExperimentsTraining) {
  // `rows` stands before `training` here: the order of the file does not matter.
  const auto experiment = read<Experiment>(
      "{rows: [{name: A, method: m}, {name: B, baseline: audio, pretrain: {optimizer: {lr: 3}}}],"
      " training: {optimizer: {lr: 2, momentum: 0.5}}}");
  ASSERT_EQ(experiment.rows.size(), 2u);
  EXPECT_EQ(experiment.rows[0].pretrain.optimizer.lr, 2);
  EXPECT_EQ(experiment.rows[1].pretrain.optimizer.lr, 3);
  EXPECT_EQ(experiment.rows[1].pretrain.optimizer.momentum, 0.5);
}

TEST(Reader, RefusesRowsThatAreNotOneOfTwoKinds) {
  EXPECT_THAT(refusal<Experiment>("{rows: [{name: A}]}"),
              HasSubstr("row 'A': expected a method or a baseline, got neither"));
  EXPECT_THAT(refusal<Experiment>("{rows: [{name: A, method: m, baseline: both}]}"),
              HasSubstr("got both"));
  EXPECT_THAT(refusal<Experiment>("{rows: [{name: A, baseline: both, params: {a: 1}}]}"),
              HasSubstr("a baseline has no params"));
  EXPECT_THAT(refusal<Experiment>("{rows: [{name: A, method: m}, {name: A, method: n}]}"),
              HasSubstr("row 'A': another row has the same name"));
  EXPECT_THAT(refusal<Experiment>("{rows: [{name: A, methd: m}]}"),
              HasSubstr("unknown key 's.rows[0].methd' (did you mean 'method'?)"));
  EXPECT_THAT(refusal<Experiment>("{rows: {name: A}}"), HasSubstr("expected a list of rows"));
  EXPECT_THAT(refusal<Experiment>("{rows: [A]}"), HasSubstr("s.rows[0]: got 'A'"));
}

TEST(Reader, RowNamesCanNameFolders) {
  for (const char* name : {"a/b", "..", ".a", "' a'", "'a '", "''", "a:b", "ä", "\"a\\tb\""}) {
    EXPECT_THAT(refusal<Experiment>(std::string("{rows: [{method: m, name: ") + name + "}]}"),
                HasSubstr("it names a folder"))
        << name;
  }
  EXPECT_EQ(read<Experiment>("{rows: [{method: m, name: AVCL (towers) 0.5+x_y-z}]}").rows[0].name,
            "AVCL (towers) 0.5+x_y-z");
}

}  // namespace
}  // namespace avbench::config
