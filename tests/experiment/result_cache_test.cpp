#include "experiment/result_cache.h"

#include <gtest/gtest.h>

#include <fstream>

#include "io/atomic_file.h"
#include "io/json_fields.h"
#include "io/temp_folder.h"
#include "report/run_summary.h"

namespace avbench::experiment {
namespace {

namespace fs = std::filesystem;

class Finished : public testing::Test {
 protected:
  Finished() {
    fs::create_directories(done_ / "checkpoints");
    for (const char* file : {"metrics.jsonl", "predictions.csv", "predictions_clips.csv",
                             "checkpoints/final.json", "checkpoints/final.safetensors"}) {
      io::write_file_atomically(done_ / file, file);
    }
    io::write_json(done_ / "finetune.json", {{"validation", 0.5}});
    io::write_json(done_ / "test.json", {{"accuracy", 0.25}});
    io::write_json(done_ / "summary.json", io::write_fields(report::RunSummary{.run = run_.hash}));
    runs_.add(run_, done_);
  }

  const io::TempFolder results_;
  const ResultCache runs_{results_.path()};
  const Fingerprint run_{.content = {}, .hash = "0123456789abcdef0123"};
  const fs::path done_ = results_ / "one/A-s0", other_ = results_ / "two/B-s0";
};

TEST_F(Finished, AreFoundByWhatTheyDependOn) {
  EXPECT_EQ(runs_.find(run_, other_), done_);
  EXPECT_FALSE(runs_.find({.content = {}, .hash = "fedcba9876543210"}, other_));
  EXPECT_FALSE(runs_.find(run_, done_));
}

TEST_F(Finished, AreCopiedWhole) {
  ResultCache::copy(done_, other_, true);
  EXPECT_EQ(io::read_json(other_ / "finetune.json"), io::read_json(done_ / "finetune.json"));
  EXPECT_EQ(io::read_json(other_ / "test.json"), io::read_json(done_ / "test.json"));
  for (const char* file : {"metrics.jsonl", "predictions.csv", "checkpoints/final.safetensors"}) {
    EXPECT_EQ(io::read_file(other_ / file), file);
  }
  EXPECT_FALSE(fs::exists(other_ / "summary.json"));  // that is the row's own
  // A metrics file is appended to: it must not be the same file.
  std::ofstream(other_ / "metrics.jsonl", std::ios::app) << "more";
  EXPECT_EQ(io::read_file(done_ / "metrics.jsonl"), "metrics.jsonl");
}

TEST_F(Finished, AreCopiedWithoutTheirTestWhereNoneIsAskedFor) {
  ResultCache::copy(done_, other_, false);
  EXPECT_EQ(io::read_json(other_ / "finetune.json"), io::read_json(done_ / "finetune.json"));
  for (const char* file : {"test.json", "predictions.csv", "predictions_clips.csv"}) {
    EXPECT_FALSE(fs::exists(other_ / file)) << file;
  }
}

TEST_F(Finished, AreLeftAloneByARunThatHasBegun) {
  fs::create_directories(other_ / "checkpoints");
  EXPECT_FALSE(runs_.find(run_, other_));
}

TEST_F(Finished, AreNoneIfTheFolderIsGoneDamagedOrAnothers) {
  const std::string whole = io::read_file(done_ / "summary.json");
  io::write_file_atomically(done_ / "summary.json", "{\"run\": \"");
  EXPECT_FALSE(runs_.find(run_, other_));
  io::write_json(done_ / "summary.json", io::write_fields(report::RunSummary{.run = "another"}));
  EXPECT_FALSE(runs_.find(run_, other_));
  io::write_file_atomically(done_ / "summary.json", whole);
  EXPECT_TRUE(runs_.find(run_, other_));
  const fs::path entry = results_ / "runs/0123456789abcdef.json";
  const io::Json known = {{"folder", "one/A-s0"},
                          {"run", run_.hash}};  // as earlier versions write it
  EXPECT_EQ(io::read_json(entry), known);
  for (const io::Json& damaged :
       {io::Json::array(), io::Json({{"run", run_.hash}}), io::Json({{"folder", "one/A-s0"}}),
        io::Json({{"folder", 1}, {"run", run_.hash}}),
        // Another run whose hash begins the same.
        io::Json({{"folder", "one/A-s0"}, {"run", run_.hash.substr(0, 16) + "ffff"}})}) {
    io::write_json(entry, damaged);
    EXPECT_FALSE(runs_.find(run_, other_)) << damaged;
  }
  io::write_json(entry, known);
  EXPECT_TRUE(runs_.find(run_, other_));
  fs::remove_all(done_);
  EXPECT_FALSE(runs_.find(run_, other_));
}

}  // namespace
}  // namespace avbench::experiment
