// How `compare` and its stages take splits: overlaps, copies, and a missing test split.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "app/tiny_experiment.h"
#include "tensors/tensor_file.h"

namespace avbench::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct ManifestLine {
  std::string path, label, split;
};

class CompareSplits : public TinyExperiment {
 protected:
  // All files as the folder has them.
  static std::vector<ManifestLine> lines() {
    std::vector<ManifestLine> lines;
    for (const auto& entry : fs::recursive_directory_iterator(data())) {
      if (entry.path().extension() != ".mp4") continue;
      const fs::path name = fs::relative(entry.path(), data());
      lines.push_back({entry.path(), *std::next(name.begin()), *name.begin()});
    }
    return lines;
  }
  fs::path write(const std::string& name, const std::vector<ManifestLine>& lines) const {
    std::ofstream stream(folder_ / name);
    stream << "path,label,split\n";
    for (const auto& [path, label, split] : lines) {
      stream << path << "," << label << "," << split << "\n";
    }
    return folder_ / name;
  }
  static ManifestLine first_of(const std::string& split) {
    const auto all = lines();
    return *std::find_if(all.begin(), all.end(),
                         [&](const ManifestLine& line) { return line.split == split; });
  }
  std::string path_of(const std::string& name) const { return (folder_ / name).string(); }

  // The synthetic data set without its test split.
  fs::path without_test() const {
    for (const char* split : {"train", "val"}) {
      fs::create_directories(folder_ / "open");
      fs::create_directory_symlink(data() / split, folder_ / "open" / split);
    }
    return folder_ / "open";
  }
};

TEST_F(CompareSplits, WithAFileThatIsTrainedOnAndTestedAreRefused) {
  auto leaking = lines();
  const ManifestLine leak = first_of("test");
  leaking.push_back({leak.path, leak.label, "train"});
  const Outcome outcome = run("compare " + configure("r", write("leak.csv", leaking)).string());
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("train " + leak.path + " (whole) and test " + leak.path));
}

TEST_F(CompareSplits, ThatArePretrainedOnAndHeldOutAreRefused) {
  for (const char* split : {"val", "test"}) {
    const ManifestLine leak = first_of(split), fine = first_of("train");
    const fs::path source =
        write("pretrain.csv", {{leak.path, "any", "train"}, {fine.path, "any", "train"}});
    const Outcome outcome = run("compare " + configure("r").string() +
                                " --set protocol.data.pretrain_source=" + source.string());
    EXPECT_EQ(outcome.exit_code, 2);
    const std::string id = fs::relative(leak.path, data());
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("pretrain_source " + source.string()),
                                   HasSubstr("train " + leak.path + " (whole) and " + split + " " +
                                             id + " (whole)"),
                                   HasSubstr("a pair of samples")));
  }
}

TEST_F(CompareSplits, WithACopyOfAPretrainingFileAreWarnedOf) {
  const ManifestLine held_out = first_of("test"), fine = first_of("train");
  fs::copy_file(held_out.path, folder_ / "copy.mp4");
  const fs::path source =
      write("pretrain.csv", {{folder_ / "copy.mp4", "any", "train"}, {fine.path, "any", "train"}});
  const Outcome outcome =
      run("compare " + configure("r").string() +
          " --dry-run --no-probe --set protocol.data.pretrain_source=" + source.string());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("the same bytes"), HasSubstr((folder_ / "copy.mp4").string()),
                    HasSubstr(fs::relative(held_out.path, data()).string())));
}

TEST_F(CompareSplits, WithoutATestAreEnoughForAllThatDoesNotTest) {
  const std::string config = configure("r", without_test()).string();
  const Outcome plan = run("compare " + config + " --validation --dry-run --no-probe");
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("test 0;"));
  for (const char* stage : {"pretrain ", "finetune "}) {
    const Outcome outcome = run(stage + config + " --row SimCLR");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  const Outcome outcome = run("compare " + config + " --validation --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json table = json::parse(outcome.out);
  ASSERT_EQ(table.size(), 3u);
  for (const json& row : table) {
    const std::string folder = "r/tiny/" + row["row"].get<std::string>() + "-s0/";
    EXPECT_EQ(row["validation"], read_json(folder + "finetune.json")["validation"]);
  }
  const std::string embed =
      "embed " + config + " --row SimCLR --out " + (folder_ / "e.safetensors").string();
  EXPECT_EQ(run(embed + " --split val").exit_code, 0);
  EXPECT_EQ(tensors::load_tensors(folder_ / "e.safetensors").at("features").size(0), 6);
  fs::remove(folder_ / "e.safetensors");
  const Outcome empty = run(embed + " --split test");
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.err, HasSubstr("the split 'test' has no usable file"));
  EXPECT_FALSE(fs::exists(folder_ / "e.safetensors"));
}

TEST_F(CompareSplits, WithoutATestAreRefusedBeforeAnyTrainingWhereATestIsMade) {
  const std::string config = configure("r", without_test()).string();
  for (const std::string& command :
       {"compare " + config, "test " + config,
        "compare " + config + " --sweep 1 --set 'rows.SimCLR.sweep={params.temperature: [0.1]}'" +
            " --row SimCLR"}) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.exit_code, 2) << command << outcome.err;
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("the split 'test' has no usable file"), HasSubstr("--validation")));
  }
  EXPECT_FALSE(fs::exists(folder_ / "r"));
}

// Reading a large data set may take longer than the message is worth waiting for.
TEST_F(CompareSplits, ChangedSettingsAreRefusedBeforeTheDataAreRead) {
  const std::string command =
      "compare " + configure("r").string() + " --row SimCLR --set protocol.pretrain.epochs=1";
  ASSERT_EQ(run(command).exit_code, 0);
  fs::create_directories(folder_ / "empty");
  const std::string unreadable = command + " --set protocol.data.source=" + path_of("empty");
  EXPECT_THAT(run(unreadable).err, HasSubstr("empty"));  // nothing but the data have changed
  for (const auto& [setting, changed] :
       {std::pair("params.temperature=0.3", "pretrain.params.temperature: 0.1 -> 0.3"),
        std::pair("pretrain.optimizer.lr=0.5", "pretrain.training.optimizer.lr: 0.001 -> 0.5"),
        std::pair("modality=video", "modality: \"both\" -> \"video\"")}) {
    const Outcome outcome = run(unreadable + " --set rows.SimCLR." + setting);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("holds a run of another configuration"),
                                   HasSubstr(changed), HasSubstr("--set name=tiny-2")));
  }
}

}  // namespace
}  // namespace avbench::app
