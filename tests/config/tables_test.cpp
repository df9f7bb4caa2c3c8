// The configurations of the AVCL paper's tables against the metrics that the paper prints.
#include <gmock/gmock.h>

#include <map>

#include "config/load.h"
#include "config/writer.h"
#include "io/json.h"

namespace avbench::config {
namespace {

namespace fs = std::filesystem;
const fs::path kConfigs = fs::path(AVBENCH_SOURCE_DIR) / "configs";

using Metrics = std::map<std::string, double>;

Experiment load(const std::string& table, const std::vector<fs::path>& overlays = {}) {
  return load_experiment(kConfigs / "experiments" / (table + ".yaml"), {"protocol.data.source=."},
                         overlays);
}

Metrics metrics(const Experiment& experiment) {
  Metrics metrics;
  for (const RowConfig& row : experiment.rows) {
    if (row.paper) metrics[row.name] = *row.paper;
  }
  return metrics;
}

std::vector<std::string> names_without_metric(const Experiment& experiment) {
  std::vector<std::string> names;
  for (const RowConfig& row : experiment.rows) {
    if (!row.paper) names.push_back(row.name);
  }
  return names;
}

TEST(PaperTables, HaveEveryRowWithThePapersMetric) {
  EXPECT_EQ(metrics(load("table1")), (Metrics{{"RGB 16 + raw audio", 50.2},
                                              {"RGB 1 + 1.2 s mel", 67.9},
                                              {"RGB 16 + 1.2 s mel", 72.1},
                                              {"RGB 16 + whole mel", 75.6},
                                              {"RGB 16 + whole mel (1 model)", 60.5}}));
  EXPECT_EQ(metrics(load("table2")), (Metrics{{"none", 72.5},
                                              {"conv3", 68.5},
                                              {"conv4", 69.3},
                                              {"conv5", 70.9},
                                              {"pool-final", 75.6},
                                              {"conv5 + pool", 70.4}}));
  EXPECT_EQ(metrics(load("table3")), (Metrics{{"without SelfCL (1 0)", 73.5},
                                              {"AVCL (0.1 0.9)", 72.0},
                                              {"AVCL (0.3 0.7)", 72.2},
                                              {"AVCL (0.5 0.5)", 74.1},
                                              {"AVCL (0.7 0.3)", 73.7},
                                              {"AVCL (0.9 0.1)", 75.6},
                                              {"without AMFM (0.9 0.1)", 73.5}}));
  EXPECT_EQ(metrics(load("table4")), (Metrics{{"Baseline-R", 60.4},
                                              {"Baseline-A", 52.9},
                                              {"Baseline-R+A", 73.9},
                                              {"IIC", 60.5},
                                              {"SimCLR", 69.7},
                                              {"MoCo", 68.2},
                                              {"BYOL", 73.3},
                                              {"SimSiam", 72.9},
                                              {"Barlow Twins", 69.6},
                                              {"AVCL", 75.6},
                                              {"AVCL C3D", 74.0},
                                              {"AVCL R(2+1)D", 77.2}}));
  EXPECT_EQ(metrics(load("table4_k100")), (Metrics{{"Baseline-R", 53.6},
                                                   {"Baseline-A", 40.9},
                                                   {"Baseline-R+A", 61.3},
                                                   {"IIC", 46.4},
                                                   {"SimCLR", 59.1},
                                                   {"MoCo", 58.2},
                                                   {"BYOL", 61.4},
                                                   {"SimSiam", 60.8},
                                                   {"Barlow Twins", 59.3},
                                                   {"AVCL", 64.4},
                                                   {"AVCL C3D", 61.3},
                                                   {"AVCL R(2+1)D", 67.1}}));
}

TEST(PaperTables, HaveFourRowsThatThePaperHasNot) {
  for (const char* table : {"table4", "table4_k100"}) {
    EXPECT_THAT(names_without_metric(load(table)),
                testing::ElementsAre("AVCL + concat", "Baseline-R+A + AMFM", "AVCL-towers",
                                     "Baseline-R+A (1 model)"));
  }
  for (const char* table : {"table1", "table2", "table3"}) {
    EXPECT_THAT(names_without_metric(load(table)), testing::IsEmpty()) << table;
  }
}

TEST(PaperTables, ShareTheProtocolThatIsTheDefault) {
  io::Json expected = to_json(ProtocolConfig());
  expected["data"].erase("source");
  expected["data"].erase("classes");
  for (const char* table : {"table1", "table2", "table3", "table4", "table4_k100"}) {
    io::Json protocol = to_json(load(table).protocol);
    EXPECT_EQ(fs::path(protocol["data"]["classes"].get<std::string>()).filename(),
              std::string(table) == "table4_k100" ? "k100.txt" : "k32.txt");
    protocol["data"].erase("source");
    protocol["data"].erase("classes");
    EXPECT_EQ(protocol, expected) << table;
  }
}

TEST(PaperTables, OfK100DifferFromThoseOfK32InMetricsAndClassesOnly) {
  Experiment k32 = load("table4"), k100 = load("table4_k100");
  for (Experiment* experiment : {&k32, &k100}) {
    experiment->name = experiment->description = experiment->protocol.data.classes = "";
    for (RowConfig& row : experiment->rows) {
      row.paper.reset();
      row.protocol.data.classes = "";
    }
  }
  EXPECT_EQ(io::canonical_json(to_json(k32)), io::canonical_json(to_json(k100)));
}

// A scale must leave what a table is about, and must not write into the results of the real runs.
TEST(Scales, KeepTheRowsAndTheirOwnValues) {
  for (const char* scale : {"smallest", "small"}) {
    const fs::path file = kConfigs / "scales" / (std::string(scale) + ".yaml");
    for (const char* name : {"table1", "table2", "table3", "table4", "table4_k100"}) {
      const Experiment table = load(name), scaled = load(name, {file});
      ASSERT_EQ(scaled.rows.size(), table.rows.size());
      EXPECT_EQ(scaled.varies, table.varies);
      EXPECT_NE(scaled.run.results, table.run.results);
      EXPECT_NE(scaled.description, table.description);
      const io::Json before = to_json(table)["rows"], after = to_json(scaled)["rows"];
      for (size_t i = 0; i < before.size(); ++i) {
        for (const char* key : {"name", "params", "paper", "protocol"}) {
          EXPECT_EQ(before[i][key], after[i][key]) << name << " " << before[i]["name"];
        }
      }
    }
  }
}

}  // namespace
}  // namespace avbench::config
