#include "config/load.h"

#include <gmock/gmock.h>

#include "io/atomic_file.h"
#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class LoadExperiment : public ::testing::Test {
 protected:
  LoadExperiment() {
    std::filesystem::create_directory(folder_ / "data");
    write_file_atomically(path_,
                          "name: small\n"
                          "protocol:\n"
                          "  data:\n"
                          "    source: ./data\n"
                          "rows:\n"
                          "  - {name: A, method: m}\n");
  }
  Experiment load(const std::vector<std::string>& sets) { return load_experiment(path_, sets); }
  std::string refusal(const std::vector<std::string>& sets) {
    return user_error([&] { load(sets); });
  }

  TempFolder folder_;
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
  write_file_atomically(path_,
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
  EXPECT_THAT(refusal({"protocol.data.pretrain_source=/nowhere"}),
              HasSubstr("protocol.data.pretrain_source: '/nowhere' does not exist"));
}

TEST_F(LoadExperiment, ChecksTheName) {
  for (const char* name : {"", "a b", "a/b", "..", "pretrain"}) {
    EXPECT_THAT(refusal({std::string("name=") + name}), HasSubstr("name: ")) << name;
  }
  EXPECT_EQ(load({"name=Table-2_v1.5"}).name, "Table-2_v1.5");
}

}  // namespace
}  // namespace avbench
