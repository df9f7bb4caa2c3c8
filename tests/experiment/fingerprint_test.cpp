#include "experiment/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/fixtures.h"

namespace avbench::experiment {
namespace {

using testing::ElementsAre;

TEST(DifferingKeys, NamesChangedAddedAndRemovedKeys) {
  const io::Json before = {{"a", {{"b", 1}, {"c", "x"}}}, {"gone", true}, {"same", 2}};
  const io::Json after = {{"a", {{"b", 2}, {"c", "x"}}}, {"new", 0.5}, {"same", 2}};
  EXPECT_THAT(differing_keys(before, after),
              ElementsAre("a.b: 1 -> 2", "gone: true -> null", "new: null -> 0.5"));
}

TEST(DifferingKeys, FindsNothingInEqualObjects) {
  EXPECT_TRUE(differing_keys({{"a", 1}}, {{"a", 1}}).empty());
}

TEST(DifferingKeys, NamesWhatAnEmptyObjectLacksAndNotTheObject) {
  const io::Json empty = {{"varied", io::Json::object()}}, full = {{"varied", {{"x", 1}}}};
  EXPECT_THAT(differing_keys(empty, full), ElementsAre("varied.x: null -> 1"));
  EXPECT_THAT(differing_keys(full, empty), ElementsAre("varied.x: 1 -> null"));
}

class Identities : public testing::Test {
 protected:
  Identities() {
    folder_.write_good_files(1);
    data_ = folder_.open(0);
  }
  Fingerprint protocol(const config::ProtocolConfig& config,
                       const std::vector<std::string>& varies) const {
    return protocol_fingerprint(config, varies, "", *data_, *data_);
  }
  Fingerprint pretrain(const config::ProtocolConfig& config) const {
    return pretrain_fingerprint({.name = "A", .method = "m", .protocol = config}, "build", "", {},
                                0, *data_, *data_);
  }

  data::DataFolder folder_;
  std::shared_ptr<const data::Dataset> data_;
  config::ProtocolConfig one_, other_;
};

TEST_F(Identities, OfAProtocolLeaveOutWhatVariesAndNothingElse) {
  other_.clip.frames = 1;
  other_.finetune.optimizer.lr = 0.5;
  EXPECT_NE(protocol(one_, {}).hash, protocol(other_, {}).hash);
  EXPECT_NE(protocol(one_, {"protocol.clip.frames"}).hash,
            protocol(other_, {"protocol.clip.frames"}).hash);
  const std::vector<std::string> both = {"protocol.clip.frames", "protocol.finetune.optimizer"};
  EXPECT_EQ(protocol(one_, both).hash, protocol(other_, both).hash);
  EXPECT_EQ(varied_settings(other_, {"protocol.clip.frames", "protocol.finetune.optimizer.lr"}, ""),
            (io::Json{{"protocol.clip.frames", 1}, {"protocol.finetune.optimizer.lr", 0.5}}));
  EXPECT_FALSE(protocol(one_, both).content["settings"]["clip"].contains("frames"));
  EXPECT_TRUE(protocol(one_, both).content["settings"]["clip"].contains("stride"));
  EXPECT_EQ(protocol(one_, {}).hash, protocol(one_, {"protocol.no.key"}).hash);
}

TEST_F(Identities, OfAPretrainingDependOnTheBuildOfThePlugin) {
  const Fingerprint mine = pretrain(one_), other = with_plugin(mine, "another build");
  EXPECT_NE(mine.hash, other.hash);
  EXPECT_EQ(with_plugin(other, "build").hash, mine.hash);
  EXPECT_THAT(differing_keys(mine.content, other.content),
              testing::ElementsAre("plugin: \"build\" -> \"another build\""));
}

TEST_F(Identities, OfAProtocolHoldNoPaths) {
  other_.data.source = "/somewhere";
  other_.data.classes = "/a/list.txt";
  EXPECT_EQ(protocol(one_, {}).hash, protocol(other_, {}).hash);
}

TEST_F(Identities, OfAProtocolLeaveOutTheWeightsItStartsFromIfTheyVary) {
  one_.encoder.init = "a";
  other_.encoder = {.init = "b", .init_towers = config::Modalities::kVideo};
  const std::vector<std::string> varies = {"protocol.encoder.init", "protocol.encoder.init_towers"};
  const auto hash = [&](const config::ProtocolConfig& config, const std::string& init,
                        const std::vector<std::string>& names) {
    return protocol_fingerprint(config, names, init, *data_, *data_).hash;
  };
  EXPECT_EQ(hash(one_, "11", varies), hash(other_, "22", varies));
  EXPECT_NE(hash(one_, "11", {varies[0]}), hash(one_, "11", {}));
  EXPECT_NE(hash(one_, "11", {}), hash(one_, "22", {}));
}

// What a row differs in decides which pretraining it has, whether its table names that or not.
TEST_F(Identities, OfAPretrainingHoldTheRowsOwnValues) {
  other_.encoder.name = config::Backbone::kC3d;
  EXPECT_NE(pretrain(one_).hash, pretrain(other_).hash);
  other_ = one_;
  other_.finetune.fusion = config::FinetuneConfig::Fusion::kConcat;
  EXPECT_EQ(pretrain(one_).hash, pretrain(other_).hash);
}

TEST_F(Identities, OfAWholeRunHoldStartSeedAndTheRowsProtocol) {
  const auto run = [&](const config::ProtocolConfig& config, const io::Json& start, int64_t seed) {
    return run_fingerprint(config, "", start, seed, *data_, *data_).hash;
  };
  other_.finetune.fusion = config::FinetuneConfig::Fusion::kConcat;
  const std::string hash = run(one_, {{"method", "m"}}, 0);
  EXPECT_EQ(hash, run(one_, {{"method", "m"}}, 0));
  EXPECT_NE(hash, run(other_, {{"method", "m"}}, 0));
  EXPECT_NE(hash, run(one_, {{"method", "n"}}, 0));
  EXPECT_NE(hash, run(one_, {{"method", "m"}}, 1));
}

}  // namespace
}  // namespace avbench::experiment
