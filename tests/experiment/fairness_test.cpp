// What every method of a comparison shares for one seed: initial towers, order of samples, and the
// bytes of the base view.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "data/fixtures.h"
#include "encoders/two_towers.h"
#include "plugin/registry.h"
#include "stages/forward_passes.h"
#include "stages/initial_towers.h"
#include "stages/stage_loaders.h"
#include "tensors/state_dict.h"

namespace avbench::experiment {
namespace {

struct Seen {
  std::vector<int64_t> order;
  Tensor video, audio;  // of the first batch
};

Seen first_batches(const std::shared_ptr<const data::Dataset>& dataset, const Views& views) {
  const train::NextBatch next =
      stages::open_training({dataset, views}, stages::spread_indices(6, 6), 2, 7, 0, 6);
  Seen seen;
  for (int step = 0; step < 6; ++step) {
    const data::LoadedBatch batch = next();
    for (int64_t row = 0; row < 2; ++row) {
      seen.order.push_back(batch.batch.index[row].item<int64_t>());
    }
    if (step > 0) continue;
    seen.video = batch.batch.video.at(kBaseView).clone();
    seen.audio = batch.batch.audio.at(kBaseView).clone();
  }
  return seen;
}

TEST(Fairness, EveryMethodGetsTheSameSamplesInTheSameOrder) {
  const data::DataFolder folder;
  folder.write_good_files();
  const auto dataset = folder.open(64);
  Views more = base_views();
  more.push_back({"second", Modality::kVideo, ViewTime::kIndependent});
  const Seen expected = first_batches(dataset, base_views());
  std::vector<Views> asked = {more};
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  ASSERT_GE(registry.plugins().size(), 7u);
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    asked.push_back(
        plugin.record->views(Params::resolve(plugin.record->name, plugin.record->params, {})));
  }
  for (const Views& views : asked) {
    const Seen seen = first_batches(dataset, views);
    EXPECT_EQ(seen.order, expected.order);
    EXPECT_TRUE(at::equal(seen.video, expected.video));
    EXPECT_TRUE(at::equal(seen.audio, expected.audio));
  }
}

TEST(Fairness, EveryMethodStartsFromTheSameTowers) {
  const auto expected = tensors::module_state(*stages::initial_towers({.width = 2}, 5, 3));
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  ASSERT_GE(registry.plugins().size(), 7u);
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    const auto towers = stages::initial_towers({.width = 2}, 5, 3);
    const auto method = plugin.record->create(
        {.towers = towers,
         .params = Params::resolve(plugin.record->name, plugin.record->params, {}),
         .train_size = 64});
    const auto state = tensors::module_state(method->towers());
    ASSERT_EQ(state.size(), expected.size()) << plugin.record->name;
    for (const auto& [name, tensor] : expected) {
      EXPECT_TRUE(at::equal(state.at(name), tensor)) << plugin.record->name << " " << name;
    }
  }
}

// Counted by hand from the methods' descriptions: a pass for each modality, one more for each that
// goes through a momentum encoder, one for an intra-negative.
TEST(EncoderForwards, AreCountedWithMomentumEncodersAndNegatives) {
  const std::map<std::string, double> expected = {{"avcl", 2},        {"simclr", 2},  {"moco", 4},
                                                  {"byol", 4},        {"simsiam", 2}, {"iic", 3},
                                                  {"barlow_twins", 2}};
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  config::ProtocolConfig protocol;
  protocol.pretrain.batch_size = 6;
  for (const auto& [name, passes] : expected) {
    const plugin::LoadedPlugin& plugin = registry.find(name);
    const Params params = Params::resolve(name, plugin.record->params, {});
    EXPECT_EQ(stages::forward_passes(plugin, params, protocol, 64, "test"), passes) << name;
  }
}

}  // namespace
}  // namespace avbench::experiment
