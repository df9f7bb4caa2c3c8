#include "report/run_summary.h"

#include <gtest/gtest.h>

namespace avbench::report {
namespace {

// As a run of the first version wrote it; no metric twice, none a default.
const io::Json kWritten = io::Json::parse(R"({
 "accuracy": 0.425, "chance": 0.125, "clipped_share": 0.75, "clips_per_second": 21.084432109321, "collapse": "why",
 "forward_passes": 2.5, "finetune_steps": 40, "diagnostics": {"alignment": 0.1},
 "labels_train": 64, "labels_validation": 32, "method": "simclr", "modality": "video",
 "peak_memory_bytes": 418381824, "pretrain": "0b5e", "protocol": "c24f", "row": "SimCLR",
 "run": "9a1d", "seconds": 12.5, "seed": 3, "train_accuracy": 0.984375, "validation": 0.53125,
 "waiting_share": 0.125
})");

TEST(RunSummary, ReadsEveryKey) {
  const auto got = io::read_fields<RunSummary>(kWritten, "summary.json");
  EXPECT_EQ(got.row, "SimCLR");
  EXPECT_EQ(got.method, "simclr");
  EXPECT_EQ(got.modality, "video");
  EXPECT_EQ(got.seed, 3);
  EXPECT_EQ(got.accuracy, 0.425);
  EXPECT_EQ(got.validation, 0.53125);
  EXPECT_EQ(got.train_accuracy, 0.984375);
  EXPECT_EQ(got.finetune_steps, 40);
  EXPECT_EQ(got.forward_passes, 2.5);
  EXPECT_EQ(got.clips_per_second, 21.084432109321);
  EXPECT_EQ(got.waiting_share, 0.125);
  EXPECT_EQ(got.peak_memory_bytes, 418381824);
  EXPECT_EQ(got.seconds, 12.5);
  EXPECT_EQ(got.chance, 0.125);
  EXPECT_EQ(got.labels_train, 64);
  EXPECT_EQ(got.labels_validation, 32);
  EXPECT_EQ(got.clipped_share, 0.75);
  EXPECT_EQ(got.collapse, "why");
  EXPECT_EQ(got.diagnostics, io::Json({{"alignment", 0.1}}));
  EXPECT_EQ(got.pretrain, "0b5e");
  EXPECT_EQ(got.run, "9a1d");
  EXPECT_EQ(got.protocol, "c24f");
}

TEST(RunSummary, IsWrittenWithTheSameKeysAndValues) {
  EXPECT_EQ(io::write_fields(io::read_fields<RunSummary>(kWritten, "summary.json")), kWritten);
}

}  // namespace
}  // namespace avbench::report
