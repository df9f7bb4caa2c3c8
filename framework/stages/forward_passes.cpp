#include "stages/forward_passes.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "encoders/two_towers.h"
#include "plugin/failure.h"
#include "tensors/seeds.h"
#include "train/loss_graph.h"
#include "train/random_batch.h"

namespace avbench::stages {
namespace {

constexpr int64_t kWidth = 2, kFrames = 2, kSide = 32;

// Other towers, and how many rows have passed through them and their copies.
class CountedTowers : public Towers {
 public:
  CountedTowers(std::shared_ptr<Towers> towers, std::shared_ptr<int64_t> rows)
      : towers_(register_module("towers", std::move(towers))), rows_(std::move(rows)) {}

  Features forward(const Batch& batch, const std::string& view) override {
    Features features = towers_->forward(batch, view);
    for (const Tensor& pooled : {features.video.pooled, features.audio.pooled}) {
      if (pooled.defined()) *rows_ += pooled.size(0);
    }
    return features;
  }
  int64_t feature_dim() const override { return towers_->feature_dim(); }
  int64_t tap_channels(const std::string& tap) const override { return towers_->tap_channels(tap); }
  std::shared_ptr<Towers> momentum_copy() const override {
    return std::make_shared<CountedTowers>(towers_->momentum_copy(), rows_);
  }

 private:
  std::shared_ptr<Towers> towers_;
  std::shared_ptr<int64_t> rows_;
};

Batch small_batch(const Views& views, int64_t channels, int64_t rows) {
  return train::random_batch(
      views, rows, {.video = {3, kFrames, kSide, kSide}, .audio = {channels, 1, kSide, kSide}},
      tensors::make_generator(0));
}

}  // namespace

double forward_passes(const plugin::LoadedPlugin& plugin, const Params& params,
                      const config::ProtocolConfig& protocol, int64_t train_size,
                      const std::string& where) {
  config::EncoderConfig encoder = protocol.encoder;
  encoder.width = kWidth;
  const auto rows = std::make_shared<int64_t>(0);
  const auto towers = std::make_shared<CountedTowers>(
      encoders::make_towers(encoder, 0, protocol.spectrogram.channels), rows);
  tensors::seed_default_generator(0);
  const auto method = plugin::construct_method(
      plugin, {.towers = towers, .params = params, .train_size = train_size}, where);
  const auto groups = plugin::call_plugin(plugin, "param_groups", where,
                                          [&] { return method->param_groups(Stage::kPretrain); });
  method->train();
  const int64_t size = std::min(protocol.pretrain.batch_size, train_size);
  Communicator alone;
  plugin::call_plugin(plugin, "loss", where, [&] {
    const Loss loss =
        method->loss(small_batch(plugin.record->views(params), protocol.spectrogram.channels, size),
                     {.random = tensors::make_generator(0), .group = alone});
    train::require_valid_loss(*method, groups, *plugin.record, loss);
  });
  return static_cast<double>(*rows) / static_cast<double>(size);
}

}  // namespace avbench::stages
