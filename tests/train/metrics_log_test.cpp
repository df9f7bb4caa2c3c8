#include "train/metrics_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "io/atomic_file.h"
#include "io/temp_folder.h"

namespace avbench::train {
namespace {

using testing::ElementsAre;

const StepMetrics kStep{.step = 12,
                        .epoch = 2.4,
                        .loss = 0.5,
                        .parts = {{"b", 0.25}, {"a", 1}},
                        .gradient_norm = 3,
                        .lr = 0.001};

// The bytes of the first version: runs of the same seed must not differ by the program's version.
TEST(MetricsLog, WritesStepsAndEpochsByTheirKeys) {
  const io::TempFolder folder;
  MetricsLog log(folder / "run/metrics.jsonl", 0);
  log.write(kStep);
  log.write(StepMetrics{.step = 13, .epoch = 2.6, .loss = 1, .gradient_norm = 2, .lr = 0.1});
  log.write(EpochMetrics{.epochs_done = 3,
                         .mean_loss = 0.75,
                         .clipped_share = 0.125,
                         .of_task = {{"validation_accuracy", 0.5}}});
  log.write(EpochMetrics{.epochs_done = 4, .mean_loss = 0.5});
  const uint64_t bytes = log.flush();
  const std::string text = io::read_file(folder / "run/metrics.jsonl");
  EXPECT_EQ(bytes, text.size());
  EXPECT_EQ(text,
            "{\"epoch\":2.4,\"gradient_norm\":3.0,\"loss\":0.5,\"lr\":0.001,"
            "\"parts\":{\"a\":1.0,\"b\":0.25},\"step\":12}\n"
            "{\"epoch\":2.6,\"gradient_norm\":2.0,\"loss\":1.0,\"lr\":0.1,\"step\":13}\n"
            "{\"clipped_share\":0.125,\"epoch_done\":3,\"mean_loss\":0.75,"
            "\"validation_accuracy\":0.5}\n"
            "{\"epoch_done\":4,\"mean_loss\":0.5}\n");
}

TEST(MetricsLog, DropsWhatTheCheckpointDoesNotKnow) {
  const io::TempFolder folder;
  const auto file = folder / "metrics.jsonl";
  uint64_t known = 0;
  {
    MetricsLog log(file, 0);
    log.write(kStep);
    known = log.flush();
    log.write(kStep);
  }
  MetricsLog log(file, known);
  log.write(EpochMetrics{.epochs_done = 1});
  log.flush();
  const std::string text = io::read_file(file);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_TRUE(text.ends_with("{\"epoch_done\":1,\"mean_loss\":0.0}\n"));
}

TEST(MetricsLog, SaysWhereALineStands) {
  EXPECT_EQ(place_of({{"step", 12}, {"epoch", 2.4}}), "step 12");
  EXPECT_EQ(place_of({{"epoch_done", 3}, {"mean_loss", 1}}), "end of epoch 3");
  EXPECT_EQ(place_of(io::Json::object()), "end of epoch null");
}

TEST(MetricsLog, PutsWhatNumbersALineBeforeTheLoss) {
  EXPECT_THAT(first_metrics(), ElementsAre("/step", "/epoch_done", "/epoch", "/loss"));
}

}  // namespace
}  // namespace avbench::train
