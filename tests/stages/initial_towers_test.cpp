#include "stages/initial_towers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "encoders/two_towers.h"
#include "io/message.h"
#include "io/temp_folder.h"
#include "tensors/state_dict.h"
#include "tensors/tensor_file.h"

namespace avbench::stages {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Other weights than any seed draws, under the names of a checkpoint.
tensors::StateDict checkpoint(const std::string& prefix = "towers.") {
  tensors::StateDict tensors;
  for (const auto& [name, tensor] :
       tensors::module_state(*encoders::make_towers({.width = 2}, 9))) {
    tensors[prefix + name] = tensor + 1;
  }
  return tensors;
}

class InitialTowers : public testing::Test {
 protected:
  tensors::StateDict loaded(const tensors::StateDict& file,
                            config::Modalities which = config::Modalities::kBoth) const {
    tensors::save_tensors(folder_ / "w.safetensors", file);
    return tensors::module_state(*initial_towers(config(which), 1));
  }
  config::EncoderConfig config(config::Modalities which = config::Modalities::kBoth) const {
    return {.width = 2, .init = (folder_ / "w.safetensors").string(), .init_towers = which};
  }
  static bool equal(const tensors::StateDict& a, const tensors::StateDict& b,
                    const std::string& prefix) {
    for (const auto& [name, tensor] : a) {
      if (name.starts_with(prefix) && !torch::equal(tensor, b.at(name))) return false;
    }
    return true;
  }

  io::TempFolder folder_;
};

TEST_F(InitialTowers, AreThoseOfTheSeedWithoutAFile) {
  EXPECT_TRUE(equal(tensors::module_state(*initial_towers({.width = 2}, 1)),
                    tensors::module_state(*encoders::make_towers({.width = 2}, 1)), ""));
}

TEST_F(InitialTowers, HoldTheFilesTensorsAndLeaveHeadsAside) {
  tensors::StateDict file = checkpoint();
  file["project_video.0.weight"] = torch::ones(3);
  file["towers.video.stem.bn.num_batches_tracked"] = torch::ones(1);
  EXPECT_TRUE(equal(loaded(file), checkpoint(""), ""));
}

TEST_F(InitialTowers, OneTowerMayBeNamedWithoutItsPrefix) {
  tensors::StateDict file;
  for (const auto& [name, tensor] : checkpoint("")) {
    if (name.starts_with("video.")) file[name.substr(6)] = tensor;
  }
  const tensors::StateDict got = loaded(file, config::Modalities::kVideo);
  EXPECT_TRUE(equal(got, checkpoint(""), "video."));
  EXPECT_TRUE(equal(got, tensors::module_state(*encoders::make_towers({.width = 2}, 1)), "audio."));
}

TEST_F(InitialTowers, OfAFileWithBothOneMayBeTaken) {
  const tensors::StateDict got = loaded(checkpoint(), config::Modalities::kAudio);
  EXPECT_TRUE(equal(got, checkpoint(""), "audio."));
  EXPECT_TRUE(equal(got, tensors::module_state(*encoders::make_towers({.width = 2}, 1)), "video."));
}

TEST_F(InitialTowers, ListEverythingThatDoesNotFit) {
  tensors::StateDict file = checkpoint();
  file.erase("towers.video.stem.conv.weight");
  file["towers.audio.stem.bn.bias"] = torch::zeros(7);
  file["towers.audio.extra"] = torch::zeros(1);
  EXPECT_THAT(io::user_error([&] { loaded(file); }),
              AllOf(HasSubstr("w.safetensors"), HasSubstr("missing: video.stem.conv.weight"),
                    HasSubstr("unexpected: audio.extra"),
                    HasSubstr("audio.stem.bn.bias (got Float [7], expected Float [2])")));
}

TEST_F(InitialTowers, AreIdentifiedByTheFilesContent) {
  tensors::save_tensors(folder_ / "w.safetensors", checkpoint());
  const std::string before = init_hash(config());
  tensors::StateDict changed = checkpoint();
  changed["towers.video.stem.bn.bias"] = torch::zeros(2);
  tensors::save_tensors(folder_ / "w.safetensors", changed);
  EXPECT_NE(init_hash(config()), before);
  EXPECT_EQ(init_hash({}), "");
  EXPECT_THAT(io::user_error([] { init_hash({.init = "/nowhere.safetensors"}); }),
              HasSubstr("/nowhere.safetensors"));
}

}  // namespace
}  // namespace avbench::stages
