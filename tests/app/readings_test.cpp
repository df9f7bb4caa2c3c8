// Readings of the protocol that show only in whole runs: which checkpoint is taken, what is
// averaged.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "app/tiny_experiment.h"
#include "tensors/tensor_file.h"

namespace avbench::app {
namespace {

using Readings = TinyExperiment;

// A metric of each line of metrics.jsonl that has it.
std::vector<double> logged(const fs::path& file, const std::string& key) {
  std::istringstream lines(io::read_file(file));
  std::vector<double> values;
  for (std::string line; std::getline(lines, line);) {
    const json entry = json::parse(line);
    if (entry.contains(key)) values.push_back(entry[key]);
  }
  return values;
}

// Lines of a CSV file without its header.
std::vector<std::string> rows_of(const fs::path& file) {
  std::istringstream lines(io::read_file(file));
  std::vector<std::string> rows;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) rows.push_back(line);
  return rows;
}

TEST_F(Readings, FinetuningTestsTheCheckpointOfTheLowestLossOrTheLast) {
  const std::string six = " --row Baseline-R --set protocol.finetune.epochs=6";
  ASSERT_EQ(
      run("compare " + configure("loss").string() + six + " --set protocol.finetune.select=loss")
          .exit_code,
      0);
  const auto losses = logged(folder_ / "loss/tiny/Baseline-R-s0/metrics.jsonl", "validation_loss");
  ASSERT_EQ(losses.size(), 6u);
  EXPECT_EQ(read_json("loss/tiny/Baseline-R-s0/finetune.json")["chosen_epoch"],
            1 + std::min_element(losses.begin(), losses.end()) - losses.begin());

  ASSERT_EQ(
      run("compare " + configure("last").string() + six + " --set protocol.finetune.select=last")
          .exit_code,
      0);
  EXPECT_EQ(read_json("last/tiny/Baseline-R-s0/finetune.json")["chosen_epoch"], 6);
  EXPECT_EQ(
      read_json("last/tiny/Baseline-R-s0/finetune.json")["validation"],
      logged(folder_ / "last/tiny/Baseline-R-s0/metrics.jsonl", "validation_accuracy").back());
}

// A pretraining that is chosen at epoch n gives the bits of one that ends there.
TEST_F(Readings, FinetuningStartsFromTheEpochWhoseNeighboursAreBest) {
  const std::string row = " --row SimCLR --set protocol.pretrain.epochs=";
  ASSERT_EQ(
      run("compare " + configure("knn").string() + row + "4 --set protocol.pretrain.select=knn")
          .exit_code,
      0);
  const std::string pretrain = read_json("knn/tiny/SimCLR-s0/summary.json")["pretrain"];
  const fs::path folder = folder_ / "knn/pretrain" / pretrain;
  const auto scores = logged(folder / "metrics.jsonl", "validation_knn");
  ASSERT_EQ(scores.size(), 4u);
  const int64_t chosen =
      read_json(fs::path("knn/pretrain") / pretrain / "summary.json")["chosen_epoch"];
  EXPECT_EQ(chosen, 1 + std::max_element(scores.begin(), scores.end()) - scores.begin());

  ASSERT_EQ(run("compare " + configure("ends").string() + row + std::to_string(chosen)).exit_code,
            0);
  EXPECT_EQ(io::read_file(folder_ / "knn/tiny/SimCLR-s0/predictions_clips.csv"),
            io::read_file(folder_ / "ends/tiny/SimCLR-s0/predictions_clips.csv"));

  // Without the chosen weights the pretraining is made again.
  fs::remove(folder / "checkpoints/best.json");
  fs::remove_all(folder_ / "knn/tiny");
  ASSERT_EQ(
      run("compare " + configure("knn").string() + row + "4 --set protocol.pretrain.select=knn")
          .exit_code,
      0);
  EXPECT_EQ(io::read_file(folder_ / "knn/tiny/SimCLR-s0/predictions_clips.csv"),
            io::read_file(folder_ / "ends/tiny/SimCLR-s0/predictions_clips.csv"));
}

TEST_F(Readings, TheCheckpointsOfNeighboursDependOnTheLabelsTheySee) {
  const auto hash_of = [&](const std::string& sets) {
    std::string results = "h";
    results += std::to_string(sets.size());
    const Outcome outcome = run("compare " + configure(results).string() + " --row SimCLR" + sets);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return read_json(results + "/tiny/SimCLR-s0/summary.json")["pretrain"].get<std::string>();
  };
  const std::string knn = " --set protocol.pretrain.select=knn",
                    fewer = " --set protocol.data.label_fraction=0.5";
  EXPECT_EQ(hash_of(""), hash_of(fewer));
  EXPECT_NE(hash_of(knn), hash_of(knn + fewer));
}

TEST_F(Readings, ThreeCropsAClipAreAveragedWithTheCentreOneAmongThem) {
  const std::string row = " --row Baseline-R";
  ASSERT_EQ(run("compare " + configure("one").string() + row).exit_code, 0);
  ASSERT_EQ(run("compare " + configure("three").string() + row + " --set protocol.test.crops=3")
                .exit_code,
            0);
  const auto one = rows_of(folder_ / "one/tiny/Baseline-R-s0/predictions_clips.csv"),
             three = rows_of(folder_ / "three/tiny/Baseline-R-s0/predictions_clips.csv");
  ASSERT_EQ(one.size(), 6u * 2);
  ASSERT_EQ(three.size(), 6u * 2 * 3);
  for (size_t i = 0; i < one.size(); ++i) {
    std::string centre = three[3 * i + 1];
    const size_t crop = centre.find(',', centre.find(',') + 1) + 1;
    EXPECT_EQ(centre[crop], '1');
    centre[crop] = '0';
    EXPECT_EQ(centre, one[i]);
    EXPECT_NE(three[3 * i].substr(crop + 1), three[3 * i + 2].substr(crop + 1));
  }
  EXPECT_EQ(read_json("three/tiny/Baseline-R-s0/test.json")["videos"], 6);
  EXPECT_EQ(rows_of(folder_ / "three/tiny/Baseline-R-s0/predictions.csv").size(), 6u);
}

TEST_F(Readings, StatisticsAsTrainedAreLeftAlone) {
  const std::string row = " --row Baseline-R";
  ASSERT_EQ(run("compare " + configure("anew").string() + row).exit_code, 0);
  ASSERT_EQ(run("compare " + configure("trained").string() + row +
                " --set protocol.batch_norm.reestimate=false")
                .exit_code,
            0);
  const std::string file = "/tiny/Baseline-R-s0/checkpoints/final.safetensors";
  const auto anew = tensors::load_tensors(folder_ / ("anew" + file)),
             trained = tensors::load_tensors(folder_ / ("trained" + file));
  int statistics = 0;
  for (const auto& [name, tensor] : anew) {
    const bool running = name.ends_with("running_mean") || name.ends_with("running_var");
    if (running && name.starts_with("towers.video")) {
      EXPECT_FALSE(tensor.equal(trained.at(name))) << name;
      ++statistics;
    } else if (!running) {
      EXPECT_TRUE(tensor.equal(trained.at(name))) << name;
    }
  }
  EXPECT_GT(statistics, 10);
}

}  // namespace
}  // namespace avbench::app
